/** Feeds as they break in the world, and changes that look like a break and are none. */
import type { Guard } from '../../shared/domain/catalog/feed-guards.ts';
import type { ShopItem } from './catalog-world.ts';
import { shop } from './catalog-world.ts';

export interface FeedCase {
  readonly name: string;
  /** The guards that must hold it; none: it must go out. */
  readonly guards: readonly Guard[];
  /** What the good feed has become. */
  readonly items: (good: readonly ShopItem[]) => readonly ShopItem[];
  /** Columns the file no longer has. */
  readonly without?: readonly string[];
}

/** Forty items of the same shop, at prices from 10 to 49. */
export const goodFeed = (): ShopItem[] => shop(40, (item, index) => ({ ...item, price: `${10 + index}.90 TRY` }));

const priced = (change: (amount: number, index: number) => string) => (good: readonly ShopItem[]) =>
  good.map((item, index) => ({ ...item, price: change(Number((item.price ?? '').split(' ')[0]), index) }));

export const brokenFeeds: readonly FeedCase[] = [
  { name: 'a file without rows', guards: ['empty-feed'], items: () => [] },
  { name: 'half of the items', guards: ['items-lost'], items: (good) => good.slice(0, 20) },
  { name: 'a tenth of the items', guards: ['items-lost'], items: (good) => good.slice(0, 4) },
  {
    name: 'every id renamed',
    guards: ['items-lost'],
    items: (good) => good.map((item) => ({ ...item, id: `tr_${item.id}` })),
  },
  { name: 'the brand column lost', guards: ['lost-column'], items: (good) => good, without: ['brand'] },
  { name: 'the link column lost', guards: ['lost-column'], items: (good) => good, without: ['link'] },
  { name: 'the price column lost', guards: ['lost-column'], items: (good) => good, without: ['price'] },
  { name: 'the product_type column lost', guards: ['lost-column'], items: (good) => good, without: ['product_type'] },
  { name: 'the id column lost', guards: ['empty-feed'], items: (good) => good, without: ['id'] },
  {
    name: 'prices in hundredths',
    guards: ['price-jump'],
    items: priced((amount) => `${Math.round(amount * 100)} TRY`),
  },
  { name: 'prices a hundredth', guards: ['price-jump'], items: priced((amount) => `${(amount / 100).toFixed(2)} TRY`) },
  {
    name: 'a third of the prices in hundredths',
    guards: ['price-jump'],
    items: priced((amount, index) =>
      index % 3 === 0 ? `${Math.round(amount * 100)} TRY` : `${amount.toFixed(2)} TRY`,
    ),
  },
  { name: 'prices of 0', guards: ['price-zero'], items: priced(() => '0.00 TRY') },
  {
    name: 'a tenth of the prices 0',
    guards: ['price-zero'],
    items: priced((amount, index) => (index % 10 === 0 ? '0 TRY' : `${amount.toFixed(2)} TRY`)),
  },
  { name: 'another currency', guards: ['currency-flip'], items: priced((amount) => `${amount.toFixed(2)} USD`) },
  {
    name: 'half in another currency',
    guards: ['currency-flip'],
    items: priced((amount, index) => `${amount.toFixed(2)} ${index % 2 === 0 ? 'EUR' : 'TRY'}`),
  },
  {
    name: 'nothing in stock',
    guards: ['all-out-of-stock'],
    items: (good) => good.map((item) => ({ ...item, availability: 'out of stock' })),
  },
  { name: 'every row twice', guards: ['duplicate-ids'], items: (good) => [...good, ...good] },
  {
    name: 'variants under one id',
    guards: ['duplicate-ids'],
    items: (good) => [
      ...good,
      { ...good[0], id: 'SKU-1', title: 'In blue' },
      { ...good[1], id: 'SKU-2', title: 'In red' },
    ],
  },
  {
    name: 'prices with a comma',
    guards: ['mostly-refused'],
    items: priced((amount) => `${amount.toFixed(2).replace('.', ',')} TRY`),
  },
];

export const healthyFeeds: readonly FeedCase[] = [
  { name: 'a third of the items gone', guards: [], items: (good) => good.slice(0, 27) },
  {
    name: 'twice the items',
    guards: [],
    items: (good) => [...good, ...good.map((item) => ({ ...item, id: `${item.id}-b` }))],
  },
  { name: 'everything at half the price', guards: [], items: priced((amount) => `${(amount / 2).toFixed(2)} TRY`) },
  { name: 'everything a tenth dearer', guards: [], items: priced((amount) => `${(amount * 1.1).toFixed(2)} TRY`) },
  {
    name: 'nine in ten sold out',
    guards: [],
    items: (good) => good.map((item, index) => (index % 10 === 0 ? item : { ...item, availability: 'out of stock' })),
  },
  {
    name: 'a sale on everything',
    guards: [],
    items: (good) => good.map((item) => ({ ...item, sale_price: '5.00 TRY' })),
  },
  {
    name: 'one price far off',
    guards: [],
    items: priced((amount, index) => (index === 7 ? '4200.00 TRY' : `${amount.toFixed(2)} TRY`)),
  },
  {
    name: 'one price of 0',
    guards: [],
    items: priced((amount, index) => (index === 7 ? '0 TRY' : `${amount.toFixed(2)} TRY`)),
  },
  {
    name: 'three items in another currency',
    guards: [],
    items: priced((amount, index) => `${amount.toFixed(2)} ${index < 3 ? 'EUR' : 'TRY'}`),
  },
  {
    name: 'every title rewritten',
    guards: [],
    items: (good) => good.map((item) => ({ ...item, title: `New ${item.id}` })),
  },
  { name: 'the sale_price column gone', guards: [], items: (good) => good, without: ['sale_price'] },
  { name: 'the order reversed', guards: [], items: (good) => good.toReversed() },
];
