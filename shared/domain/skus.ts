/** What a tenant bought beside the base: a product catalog, or CRM and offline events (document, checklist step 8). */
export const skus = ['ecommerce', 'crm'] as const;
export type Sku = (typeof skus)[number];
