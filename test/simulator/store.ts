import { getDomain, getHostname } from 'tldts';
import type { Seed } from './seed.ts';
import type { Business, Domain, GraphNode, InstagramAccount, NodeKind, Nodes, Page, Person } from './world.ts';

/** First two digits of generated ids, so that a person reading a log sees what an id is. */
const idPrefixes = {
  user: '11',
  page: '12',
  instagram: '13',
  business: '14',
  system_user: '15',
  extended_credit: '16',
  credit_allocation: '17',
  ad_account: '18',
  pixel: '19',
  catalog: '20',
  domain: '21',
  pending_page: '22',
  product_set: '23',
  product_item: '24',
  campaign: '29',
  report_run: '31',
} as const;

export interface NewPerson {
  name?: string;
  pages?: { name?: string; website?: string; category?: string; tasks?: string[]; instagram?: string | false }[];
}

const yearMs = 365 * 24 * 60 * 60 * 1000;

const adminTasks = ['ANALYZE', 'ADVERTISE', 'MESSAGING', 'MODERATE', 'CREATE_CONTENT', 'MANAGE'];

/** Everything that exists: one map of nodes by id, plus the indexes its calls need. All lookups are O(1). */
export class Store {
  readonly seed: Seed;
  readonly nodes = new Map<string, GraphNode>();
  readonly externalIds = new Map<string, string[]>();
  /** Published TXT values by domain name. */
  readonly dns = new Map<string, Set<string>>();
  /** Domain name → domains waiting for a TXT record. */
  readonly #domainsByName = new Map<string, Domain[]>();
  readonly #byKind = new Map<NodeKind, GraphNode[]>();
  #lastId = 1000;

  constructor(seed: Seed, nowMs: number) {
    this.seed = seed;
    // The client's and Kobi's own were there long before: a list that hides what is young shows them.
    this.#plant(nowMs - yearMs);
  }

  newId(kind: keyof typeof idPrefixes): string {
    this.#lastId += 1;
    return `${idPrefixes[kind]}${String(this.#lastId).padStart(15, '0')}`;
  }

  add<N extends GraphNode>(node: N): N {
    this.nodes.set(node.id, node);
    const siblings = this.#byKind.get(node.kind);
    if (siblings === undefined) this.#byKind.set(node.kind, [node]);
    else siblings.push(node);
    return node;
  }

  remove(node: GraphNode): void {
    this.nodes.delete(node.id);
    const siblings = this.#byKind.get(node.kind) ?? [];
    siblings.splice(siblings.indexOf(node), 1);
  }

  /** The node, if it exists and is of this kind. */
  find<K extends NodeKind>(kind: K, id: string | undefined): Nodes[K] | undefined {
    if (id === undefined) return undefined;
    const node = this.nodes.get(id);
    return node?.kind === kind ? (node as Nodes[K]) : undefined;
  }

  /** The node a relation points at; a dangling relation is a defect of the simulator. */
  get<K extends NodeKind>(kind: K, id: string): Nodes[K] {
    const node = this.find(kind, id);
    if (node === undefined) throw new Error(`simulator defect: ${kind} ${id} is referred to but does not exist`);
    return node;
  }

  all<K extends NodeKind>(kind: K): readonly Nodes[K][] {
    return (this.#byKind.get(kind) ?? []) as Nodes[K][];
  }

  many<K extends NodeKind>(kind: K, ids: Iterable<string>): Nodes[K][] {
    return Array.from(ids, (id) => this.get(kind, id));
  }

  get parent(): Business {
    return this.get('business', this.seed.parentBusinessId);
  }

  /** A person with Pages (one by default), each with an Instagram account unless `instagram` is false. */
  addPerson({ name, pages = [{}] }: NewPerson, nowMs: number): Person {
    const id = this.newId('user');
    const number = Number(id.slice(2));
    const person = this.add<Person>({
      kind: 'user',
      id,
      name: name ?? `Person ${String(number)}`,
      createdAtMs: nowMs,
      pageTasks: new Map(),
      businessIds: [],
      permissions: new Map(),
    });
    for (const [index, page] of pages.entries()) {
      const label = `${String(number)}-${String(index + 1)}`;
      const added = this.#addPage(this.newId('page'), nowMs, {
        name: page.name ?? `Page ${label}`,
        website: page.website ?? `https://shop-${label}.example`,
        category: page.category ?? 'Shopping & retail',
      });
      person.pageTasks.set(added.id, page.tasks ?? [...adminTasks]);
      if (page.instagram !== false) {
        this.linkInstagram(added, page.instagram ?? `shop.${label}`, nowMs);
      }
    }
    return person;
  }

  addDomain(business: Business, domainName: string, nowMs: number): Domain {
    const existing = this.many('domain', business.domainIds).find((domain) => domain.domainName === domainName);
    if (existing !== undefined) return existing;
    const id = this.newId('domain');
    const domain = this.add<Domain>({
      kind: 'domain',
      id,
      businessId: business.id,
      domainName,
      verificationCode: `sim${BigInt(id).toString(36)}kobi0000000000000`.slice(0, 30),
      createdAtMs: nowMs,
      isVerified: false,
    });
    business.domainIds.push(domain.id);
    const namesakes = this.#domainsByName.get(domainName);
    if (namesakes === undefined) this.#domainsByName.set(domainName, [domain]);
    else namesakes.push(domain);
    this.#verify(domain);
    return domain;
  }

  /** Publishes a TXT record. */
  publishTxt(domainName: string, txt: string): void {
    const records = this.dns.get(domainName) ?? new Set();
    records.add(txt);
    this.dns.set(domainName, records);
  }

  /** Meta looks for the record: a domain whose verification code it holds becomes verified for good. */
  lookForTxt(domainName: string): void {
    for (const domain of this.#domainsByName.get(domainName) ?? []) this.#verify(domain);
  }

  #verify(domain: Domain): void {
    const wanted = `facebook-domain-verification=${domain.verificationCode}`;
    if (this.dns.get(domain.domainName)?.has(wanted) === true) domain.isVerified = true;
  }

  #addPage(id: string, nowMs: number, about: { name: string; website: string; category: string }): Page {
    return this.add<Page>({
      kind: 'page',
      id,
      ...about,
      createdAtMs: nowMs,
      instagramId: undefined,
      ownerBusinessId: undefined,
      agencies: new Map(),
      assigned: new Map(),
    });
  }

  /** A new Instagram account, linked to the Page. */
  linkInstagram(page: Page, username: string, nowMs: number, id = this.newId('instagram')): InstagramAccount {
    page.instagramId = id;
    return this.add<InstagramAccount>({
      kind: 'instagram',
      id,
      username,
      createdAtMs: nowMs,
      pageId: page.id,
      authorizedAdAccounts: new Map(),
    });
  }

  #plant(nowMs: number): void {
    const { seed } = this;
    this.add({ kind: 'application', id: seed.appId, name: seed.appName, createdAtMs: nowMs });
    this.add(newBusiness(seed.parentBusinessId, seed.parentBusinessName, 'ADVERTISING', nowMs));
    this.parent.isVerified = true;
    this.parent.systemUserIds.push(seed.parentSystemUserId);
    this.parent.creditIds.push(seed.extendedCreditId);
    this.add({
      kind: 'system_user',
      id: seed.parentSystemUserId,
      name: 'Kobi parent system user',
      role: 'ADMIN',
      businessId: seed.parentBusinessId,
      createdAtMs: nowMs,
    });
    this.add({
      kind: 'extended_credit',
      id: seed.extendedCreditId,
      ownerBusinessId: seed.parentBusinessId,
      legalEntityName: 'Kobi Reklam A.S. (simulated)',
      currency: 'TRY',
      maxBalanceMinor: 100_000_000_00n,
      createdAtMs: nowMs,
      receivedThrough: undefined,
      isAccessRevoked: false,
      allocationsByReceiver: new Map(),
    });
    this.add<Person>({
      kind: 'user',
      id: seed.user.id,
      name: seed.user.name,
      createdAtMs: nowMs,
      pageTasks: new Map([[seed.page.id, [...adminTasks]]]),
      businessIds: [],
      permissions: new Map(),
    });
    const page = this.#addPage(seed.page.id, nowMs, seed.page);
    this.linkInstagram(page, seed.instagram.username, nowMs, seed.instagram.id);
  }
}

/** An empty business; a child's relations are filled in by the call that creates it. */
export function newBusiness(id: string, name: string, vertical: string, nowMs: number): Business {
  return {
    kind: 'business',
    id,
    name,
    vertical,
    timezoneId: 0,
    createdAtMs: nowMs,
    parentId: undefined,
    externalId: undefined,
    clientUserId: undefined,
    primaryPageId: undefined,
    twoFactorType: 'none',
    isVerified: false,
    childIds: [],
    systemUserIds: [],
    creditIds: [],
    adAccountIds: [],
    pixelIds: [],
    catalogIds: [],
    domainIds: [],
    clientPageIds: new Set(),
    pendingPages: new Map(),
  };
}

/** The registrable domain of a website (`shop.acme.example` → `acme.example`), or its host where there is none. */
export const domainOf = (website: string): string | undefined =>
  getDomain(website) ?? getHostname(website) ?? undefined;
