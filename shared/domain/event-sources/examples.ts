/** What each source's events become: documentation by example, and held against the mappers by their test. */
import type { IgnoredCall, MappingWarning } from './mapped-events.ts';

export interface SourceExample {
  readonly title: string;
  readonly source: 'segment' | 'ga4';
  readonly body: Readonly<Record<string, unknown>>;
  /** Meta's server events, before they are judged and hashed. */
  readonly events: readonly unknown[];
  readonly ignored?: readonly IgnoredCall[];
  readonly warnings?: readonly MappingWarning[];
}

/** When the examples happen: 2026-11-23T12:00:00Z. */
export const exampleNowSeconds = 1_795_435_200;

const page = {
  ip: '85.105.1.7',
  userAgent: 'Mozilla/5.0',
  page: { url: 'https://shop.example/thanks?fbclid=Abc', referrer: 'https://shop.example/cart' },
};

export const segmentExamples: readonly SourceExample[] = [
  {
    title: 'Order Completed is a Purchase worth its revenue',
    source: 'segment',
    body: {
      type: 'track',
      event: 'Order Completed',
      messageId: 'ajs-1',
      userId: 'u-77',
      timestamp: '2026-11-23T14:59:30.250+03:00',
      context: {
        ...page,
        traits: { email: 'Ayse@Example.com', phone: '0532 123 45 67', firstName: 'Ayşe', address: { city: 'İzmir' } },
      },
      properties: {
        order_id: 'o-9',
        revenue: 149.9,
        total: 169.9,
        currency: 'TRY',
        coupon: 'KASIM',
        email: 'ayse@example.com',
        products: [
          { product_id: 'p1', sku: 's1', name: 'Fincan', price: 49.95, quantity: 2, brand: 'Kobi', category: 'Mutfak' },
          { product_id: 'p2', price: '50', quantity: 1 },
        ],
      },
    },
    events: [
      {
        event_name: 'Purchase',
        event_time: 1_795_435_170,
        action_source: 'website',
        event_id: 'ajs-1',
        event_source_url: 'https://shop.example/thanks?fbclid=Abc',
        referrer_url: 'https://shop.example/cart',
        user_data: {
          em: 'ayse@example.com',
          ph: '0532 123 45 67',
          fn: 'Ayşe',
          ct: 'İzmir',
          external_id: 'u-77',
          client_ip_address: '85.105.1.7',
          client_user_agent: 'Mozilla/5.0',
        },
        custom_data: {
          contents: [
            { id: 'p1', quantity: 2, item_price: 49.95, title: 'Fincan', brand: 'Kobi', category: 'Mutfak' },
            { id: 'p2', quantity: 1, item_price: 50 },
          ],
          content_ids: ['p1', 'p2'],
          content_type: 'product',
          num_items: 3,
          currency: 'TRY',
          coupon: 'KASIM',
          order_id: 'o-9',
          value: 149.9,
        },
      },
    ],
  },
  {
    title: 'Product Added is an AddToCart worth price times quantity, exact',
    source: 'segment',
    body: {
      type: 'track',
      event: 'Product Added',
      messageId: 'm-2',
      anonymousId: 'anon-1',
      timestamp: '2026-11-23T11:59:00Z',
      context: page,
      properties: { product_id: 'p1', name: 'Fincan', price: 19.99, quantity: 3, currency: 'TRY', variant: 'mavi' },
    },
    events: [
      {
        event_name: 'AddToCart',
        event_time: 1_795_435_140,
        action_source: 'website',
        event_id: 'm-2',
        event_source_url: 'https://shop.example/thanks?fbclid=Abc',
        referrer_url: 'https://shop.example/cart',
        user_data: { external_id: 'anon-1', client_ip_address: '85.105.1.7', client_user_agent: 'Mozilla/5.0' },
        custom_data: {
          contents: [{ id: 'p1', quantity: 3, item_price: 19.99, title: 'Fincan' }],
          content_ids: ['p1'],
          content_type: 'product',
          num_items: 3,
          currency: 'TRY',
          variant: 'mavi',
          content_name: 'Fincan',
          value: 59.97,
        },
      },
    ],
  },
  {
    title: 'a batch: page, a custom event of a server, and an identify, which is no conversion',
    source: 'segment',
    body: {
      batch: [
        { type: 'page', anonymousId: 'anon-1', messageId: 'm-3', context: page, timestamp: '2026-11-23T11:59:00Z' },
        { type: 'identify', userId: 'u-77', traits: { email: 'ayse@example.com' } },
        {
          type: 'track',
          event: 'Deposit Made',
          userId: 'u-77',
          messageId: 'm-4',
          timestamp: '2026-11-23T11:59:00Z',
          context: { traits: { name: 'Ayşe Yılmaz', birthday: '1990-05-06T00:00:00.000Z' } },
          properties: { value: 5, currency: 'TRY', customer: 'u-77', contact: 'Yılmaz' },
        },
      ],
    },
    events: [
      {
        event_name: 'PageView',
        event_time: 1_795_435_140,
        action_source: 'website',
        event_id: 'm-3',
        event_source_url: 'https://shop.example/thanks?fbclid=Abc',
        referrer_url: 'https://shop.example/cart',
        user_data: { external_id: 'anon-1', client_ip_address: '85.105.1.7', client_user_agent: 'Mozilla/5.0' },
        custom_data: {},
      },
      {
        event_name: 'Deposit Made',
        event_time: 1_795_435_140,
        action_source: 'other',
        event_id: 'm-4',
        user_data: { external_id: 'u-77', fn: 'Ayşe', ln: 'Yılmaz', db: '1990-05-06' },
        custom_data: { value: 5, currency: 'TRY' },
      },
    ],
    ignored: [{ index: 1, reason: 'identify is no conversion: put its traits into context.traits of the track' }],
  },
  {
    title: 'a screen of an app, with what Meta wants of apps',
    source: 'segment',
    body: {
      type: 'screen',
      name: 'Sepet',
      userId: 'u-77',
      messageId: 'm-5',
      timestamp: '2026-11-23T11:59:00Z',
      context: {
        app: { namespace: 'com.example.shop', build: '34', version: '2.1' },
        os: { name: 'iOS', version: '19.1' },
        device: { advertisingId: '7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB', adTrackingEnabled: true, model: 'iPhone17,1' },
        locale: 'tr-TR',
        timezone: 'Europe/Istanbul',
      },
    },
    events: [
      {
        event_name: 'ScreenView',
        event_time: 1_795_435_140,
        action_source: 'app',
        event_id: 'm-5',
        user_data: { external_id: 'u-77', madid: '7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB' },
        custom_data: { content_name: 'Sepet' },
        advertiser_tracking_enabled: true,
        app_data: {
          application_tracking_enabled: true,
          extinfo: 'i2 com.example.shop 34 2.1 19.1 iPhone17,1 tr-TR Europe/Istanbul        '.split(' '),
        },
      },
    ],
  },
  {
    title: 'Segment’s HTTP API names no type: an event makes it a track; without a time it happened now',
    source: 'segment',
    body: { event: 'Products Searched', userId: 'u-1', properties: { query: 'fincan' } },
    events: [
      {
        event_name: 'Search',
        event_time: 1_795_435_200,
        action_source: 'other',
        user_data: { external_id: 'u-1' },
        custom_data: { search_string: 'fincan' },
      },
    ],
  },
];

export const ga4Examples: readonly SourceExample[] = [
  {
    title: 'purchase of the common event model is a Purchase',
    source: 'ga4',
    body: {
      event_name: 'purchase',
      event_id: 'e-1',
      event_time: 1_795_435_140,
      client_id: '123.456',
      user_id: 'u-77',
      page_location: 'https://shop.example/thanks',
      page_referrer: 'https://shop.example/cart',
      ip_override: '85.105.1.7',
      user_agent: 'Mozilla/5.0',
      ga_session_id: 1_795_435_000,
      screen_resolution: '390x844',
      transaction_id: 'o-9',
      value: 149.9,
      currency: 'TRY',
      coupon: 'KASIM',
      user_data: {
        email_address: 'ayse@example.com',
        phone_number: '+905321234567',
        address: { first_name: 'Ayşe', last_name: 'Yılmaz', city: 'İzmir', postal_code: '35000', country: 'TR' },
      },
      items: [{ item_id: 'p1', item_name: 'Fincan', item_brand: 'Kobi', price: 74.95, quantity: 2 }],
      'x-fb-ck-fbp': 'fb.1.1795435000000.1234567890',
    },
    events: [
      {
        event_name: 'Purchase',
        event_time: 1_795_435_140,
        action_source: 'website',
        event_id: 'e-1',
        event_source_url: 'https://shop.example/thanks',
        referrer_url: 'https://shop.example/cart',
        user_data: {
          em: 'ayse@example.com',
          ph: '+905321234567',
          fn: 'Ayşe',
          ln: 'Yılmaz',
          ct: 'İzmir',
          zp: '35000',
          country: 'TR',
          external_id: 'u-77',
          client_ip_address: '85.105.1.7',
          client_user_agent: 'Mozilla/5.0',
          fbp: 'fb.1.1795435000000.1234567890',
        },
        custom_data: {
          contents: [{ id: 'p1', quantity: 2, item_price: 74.95, title: 'Fincan', brand: 'Kobi' }],
          content_ids: ['p1'],
          content_type: 'product',
          num_items: 2,
          value: 149.9,
          currency: 'TRY',
          order_id: 'o-9',
          coupon: 'KASIM',
        },
      },
    ],
  },
  {
    title: 'x-fb-* parameters win over Google’s',
    source: 'ga4',
    body: {
      event_name: 'view_item',
      client_id: '123.456',
      page_location: 'https://shop.example/p1',
      user_data: { email_address: 'other@example.com' },
      items: [{ item_id: 'p1', price: 5 }],
      'x-fb-event_id': 'px-1',
      'x-fb-ud-em': 'ayse@example.com',
      'x-fb-ud-external_id': 'crm-5',
      'x-fb-cd-contents': '[{"id":"x1","quantity":1}]',
      'x-fb-cd-content_ids': ['x1'],
      'x-fb-cd-content_type': 'product_group',
    },
    events: [
      {
        event_name: 'ViewContent',
        event_time: 1_795_435_200,
        action_source: 'website',
        event_id: 'px-1',
        event_source_url: 'https://shop.example/p1',
        user_data: { em: 'ayse@example.com', external_id: 'crm-5' },
        custom_data: {
          contents: [{ id: 'x1', quantity: 1 }],
          content_ids: ['x1'],
          content_type: 'product_group',
          num_items: 1,
          value: 5,
        },
      },
    ],
  },
  {
    title:
      'Measurement Protocol: what the body says holds for each of its events; a phone hashed with its + is left out',
    source: 'ga4',
    body: {
      client_id: '123.456',
      timestamp_micros: '1795435140000000',
      user_data: {
        sha256_email_address: ['973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b'],
        sha256_phone_number: ['8e8b1fdcbb7b7b1b2ba5ee1f16ba3d4ebb1ad9a1e1fe77ed4b8e6c7ad8e1a1ab'],
      },
      events: [
        { name: 'generate_lead', params: { value: 10, currency: 'TRY' } },
        { name: 'oyun_bitti', params: { engagement_time_msec: 100, event_id: 'e-2' } },
      ],
    },
    events: [
      {
        event_name: 'Lead',
        event_time: 1_795_435_140,
        action_source: 'other',
        user_data: {
          em: ['973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b'],
          external_id: '123.456',
        },
        custom_data: { value: 10, currency: 'TRY' },
      },
      {
        event_name: 'oyun_bitti',
        event_time: 1_795_435_140,
        action_source: 'other',
        event_id: 'e-2',
        user_data: {
          em: ['973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b'],
          external_id: '123.456',
        },
        custom_data: {},
      },
    ],
    warnings: [
      { key: 'user_data.sha256_phone_number', code: 'hashed_with_plus' },
      { key: 'user_data.sha256_phone_number', code: 'hashed_with_plus' },
    ],
  },
];
