/**
 * The world the simulator starts with. Every id is a numeric string above 2^53, as Meta's are, and every secret is
 * obviously simulated. The same values on each start make runs reproducible.
 */
export interface Seed {
  appId: string;
  appSecret: string;
  appName: string;
  parentBusinessId: string;
  parentBusinessName: string;
  parentSystemUserId: string;
  parentSystemUserToken: string;
  extendedCreditId: string;
  loginConfigId: string;
  user: { id: string; name: string };
  page: { id: string; name: string; website: string; category: string };
  instagram: { id: string; username: string };
}

export const seed: Seed = {
  appId: '90100000000000001',
  appSecret: '51a0000000000000000000000000a991',
  appName: 'Kobi Ads (simulated)',
  parentBusinessId: '90200000000000001',
  parentBusinessName: 'Kobi (simulated parent business)',
  parentSystemUserId: '90300000000000001',
  parentSystemUserToken: 'EAASIMparent0000000000000000000000000000000000000000000001',
  extendedCreditId: '90400000000000001',
  loginConfigId: '90500000000000001',
  user: { id: '90600000000000001', name: 'Deniz Acme' },
  page: {
    id: '90700000000000001',
    name: 'Acme Shop',
    website: 'https://shop.acme.example',
    category: 'Shopping & retail',
  },
  instagram: { id: '90800000000000001', username: 'acme.shop' },
};

/** Permissions the simulated app holds and its login configuration asks for; `pages_manage_posts` is never among them. */
export const appPermissions = [
  'business_management',
  'ads_management',
  'ads_read',
  'pages_show_list',
  'pages_read_engagement',
  'pages_manage_ads',
  'instagram_basic',
  'catalog_management',
] as const;

export type AppPermission = (typeof appPermissions)[number];
