/** One tenant's part of a world with many, without its name: what can be compared with another tenant's. */
import type { GraphNode } from '../../simulator/world.ts';
import type { World } from '../canonical-state.ts';

export function worldOfTenant(slug: string, personId: string, all: World): World {
  const documents = Object.entries(all.documents).filter(
    ([path, { tenantId }]) => path.split('/').includes(slug) || tenantId === slug,
  );
  return anonymous(slug, {
    documents: Object.fromEntries(documents),
    nodes: nodesOf(personId, all.nodes),
    secrets: Object.fromEntries(Object.entries(all.secrets).filter(([id]) => id.includes(slug))),
  });
}

/** The person, what is theirs, the businesses made with their token, and what belongs to these. */
function nodesOf(personId: string, nodes: readonly GraphNode[]): GraphNode[] {
  const mine = new Set([personId]);
  for (const node of nodes) if (node.kind === 'business' && node.clientUserId === personId) mine.add(node.id);
  for (const node of nodes)
    if (node.kind === 'user' && node.id === personId) for (const id of node.pageTasks.keys()) mine.add(id);
  const ownerOf = (node: GraphNode): string | undefined => {
    if (node.kind === 'instagram') return node.pageId;
    if (node.kind === 'extended_credit') return node.ownerBusinessId;
    if (node.kind === 'credit_allocation') return node.receivingBusinessId;
    return 'businessId' in node ? node.businessId : undefined;
  };
  return nodes.filter((node) => mine.has(node.id) || mine.has(ownerOf(node) ?? ''));
}

function anonymous(slug: string, world: World): World {
  const text = JSON.stringify(world, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Map) return Object.fromEntries(value);
    return value instanceof Set ? [...(value as Set<unknown>)] : value;
  });
  // Meta makes the code out of the domain's id.
  const plain = text.replaceAll(slug, 'tenant').replaceAll(/sim[0-9a-z]+kobi0+/g, 'verification-code');
  return JSON.parse(plain) as World;
}
