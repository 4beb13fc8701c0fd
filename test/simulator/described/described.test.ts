import { describe, expect, it } from 'vitest';
import { describedEdges, describedObjects } from './described-edges.ts';
import type { DescribedParameter, Excerpt } from './described-edges.ts';
import graph from './graph.json' with { type: 'json' };

const excerpt: Excerpt = graph;
const edges = [...describedEdges()];

describe('the catalog edges of the simulator are as Meta describes them (Graph v25.0)', () => {
  it.each(edges)('$key takes the same parameters, of the same types, required where Meta requires them', (served) => {
    const ours = Object.entries(served.endpoint.parameters).flatMap(([name, { required, type, undescribed }]) => {
      const values = type.values?.toSorted();
      const shown: DescribedParameter = { type: type.described, required, ...(values && { values }) };
      return undescribed === true ? [] : [[name, shown] as const];
    });
    expect(Object.fromEntries(ours)).toEqual(excerpt.edges[served.key]);
  });

  it.each([...describedObjects])('%s has the fields Meta names', (name, fields) => {
    expect(fields).toEqual(excerpt.objects[name]);
  });

  it('nothing is described that the simulator no longer serves', () => {
    expect(Object.keys(excerpt.edges)).toEqual(edges.map(({ key }) => key));
    expect(Object.keys(excerpt.objects)).toEqual([...describedObjects.keys()]);
  });
});
