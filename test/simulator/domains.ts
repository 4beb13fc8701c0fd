import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { domain } from './shapes.ts';

/** Domains are read only: Meta documents no call that adds or verifies one. A person adds them, DNS verifies them. */
const listDomains = endpoint({
  operation: 'list_owned_domains',
  method: 'GET',
  on: 'business',
  edge: 'owned_domains',
  isList: true,
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: {},
  handle: ({ node, context: { store } }) => rows(domain, store.many('domain', node.domainIds)),
});

const readDomain = endpoint({
  operation: 'read_domain',
  method: 'GET',
  on: 'domain',
  credentials: ['user', 'parent', 'child'],
  scopes: ['business_management'],
  parameters: {},
  handle: ({ node }) => row(domain, node),
});

export const domainEndpoints = [listDomains, readDomain];
