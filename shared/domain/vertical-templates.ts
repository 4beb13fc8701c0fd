/**
 * The events each kind of business is expected to send, and which of them campaigns optimise for (document, "Pixel +
 * vertical event template"). Event names are Meta's standard events. `catalogEvents` are those a catalog is matched by:
 * without content ids dynamic ads never see them (Meta, "Get Started with Advantage+ Catalog Ads").
 */

export const verticalTemplates = {
  ecommerce: {
    metaVertical: 'ECOMMERCE',
    events: ['PageView', 'ViewContent', 'AddToCart', 'InitiateCheckout', 'AddPaymentInfo', 'Purchase'],
    optimisationEvents: ['Purchase', 'AddToCart'],
    catalogEvents: ['ViewContent', 'AddToCart', 'InitiateCheckout', 'Purchase'],
  },
  education: {
    metaVertical: 'EDUCATION',
    events: ['PageView', 'ViewContent', 'Lead', 'CompleteRegistration', 'Schedule'],
    optimisationEvents: ['Lead', 'CompleteRegistration'],
    catalogEvents: [],
  },
  health: {
    metaVertical: 'HEALTH',
    events: ['PageView', 'Contact', 'Lead', 'Schedule'],
    optimisationEvents: ['Lead', 'Schedule'],
    catalogEvents: [],
  },
  'professional-services': {
    metaVertical: 'PROFESSIONAL_SERVICES',
    events: ['PageView', 'ViewContent', 'Contact', 'Lead', 'Schedule'],
    optimisationEvents: ['Lead'],
    catalogEvents: [],
  },
  'real-estate': {
    metaVertical: 'OTHER',
    events: ['PageView', 'ViewContent', 'Search', 'Contact', 'Lead', 'Schedule'],
    optimisationEvents: ['Lead'],
    catalogEvents: [],
  },
  restaurant: {
    metaVertical: 'RESTAURANT',
    events: ['PageView', 'ViewContent', 'Contact', 'Purchase', 'Schedule'],
    optimisationEvents: ['Purchase', 'Schedule'],
    catalogEvents: [],
  },
  travel: {
    metaVertical: 'TRAVEL',
    events: ['PageView', 'Search', 'ViewContent', 'InitiateCheckout', 'Purchase'],
    optimisationEvents: ['Purchase'],
    catalogEvents: ['ViewContent', 'InitiateCheckout', 'Purchase'],
  },
} as const;

export type Vertical = keyof typeof verticalTemplates;
export const verticals = Object.keys(verticalTemplates) as Vertical[];
