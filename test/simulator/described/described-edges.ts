/** The edges and objects of the simulator that are held to Meta's own description. */
import { diagnosticGroup, eventStat } from '../catalog-health.ts';
import { batchStatus } from '../catalog-items.ts';
import { endpoints } from '../endpoints.ts';
import type { Endpoint } from '../endpoint.ts';
import { eventSource } from '../event-source.ts';
import { catalog, productItem, productSet } from '../shapes.ts';

export interface DescribedParameter {
  /** In Meta's words; `enum` for one of `values`. */
  readonly type: string;
  readonly required: boolean;
  readonly values?: readonly string[];
}

/** Parameters of Meta that the simulator refuses as unknown: products by any of two hundred kinds of error. */
export const notServed: ReadonlySet<string> = new Set(['error_type']);

/** What `graph.json` holds. */
export interface Excerpt {
  /** `POST ProductCatalog/items_batch` → its parameters. */
  readonly edges: Record<string, Record<string, DescribedParameter>>;
  /** Object → names of its fields. */
  readonly objects: Record<string, readonly string[]>;
}

/** Meta's names of the nodes. */
export const nodeNames = { catalog: 'ProductCatalog', product_set: 'ProductSet' } as const;
export type DescribedNode = keyof typeof nodeNames;

export interface DescribedEdge {
  readonly key: string;
  readonly on: DescribedNode;
  readonly method: Endpoint['method'];
  /** Empty for the node itself. */
  readonly edge: string;
  readonly endpoint: Endpoint;
}

export function* describedEdges(): Generator<DescribedEdge> {
  for (const endpoint of endpoints) {
    const { edge = '', method, on } = endpoint;
    if (on !== 'catalog' && on !== 'product_set') continue;
    yield { key: `${method} ${nodeNames[on]}/${edge}`, on, method, edge, endpoint };
  }
}

/** Objects a catalog's edges answer with: every field that may be asked of them. */
export const describedObjects: ReadonlyMap<string, readonly string[]> = new Map(
  [batchStatus, catalog, diagnosticGroup, eventSource, eventStat, productItem, productSet].map(
    ({ empty, fields, name }) => [name, [...new Set([...empty, ...Object.keys(fields)])].toSorted()],
  ),
);
