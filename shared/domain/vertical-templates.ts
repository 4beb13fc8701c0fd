/**
 * The events each kind of business is expected to send, and which of them campaigns optimise for (document, "Pixel +
 * vertical event template"). Event names are Meta's standard events.
 */

export const verticalTemplates = {
  ecommerce: {
    metaVertical: 'ECOMMERCE',
    events: ['PageView', 'ViewContent', 'AddToCart', 'InitiateCheckout', 'AddPaymentInfo', 'Purchase'],
    optimisationEvents: ['Purchase', 'AddToCart'],
  },
  education: {
    metaVertical: 'EDUCATION',
    events: ['PageView', 'ViewContent', 'Lead', 'CompleteRegistration', 'Schedule'],
    optimisationEvents: ['Lead', 'CompleteRegistration'],
  },
  health: {
    metaVertical: 'HEALTH',
    events: ['PageView', 'Contact', 'Lead', 'Schedule'],
    optimisationEvents: ['Lead', 'Schedule'],
  },
  'professional-services': {
    metaVertical: 'PROFESSIONAL_SERVICES',
    events: ['PageView', 'ViewContent', 'Contact', 'Lead', 'Schedule'],
    optimisationEvents: ['Lead'],
  },
  'real-estate': {
    metaVertical: 'OTHER',
    events: ['PageView', 'ViewContent', 'Search', 'Contact', 'Lead', 'Schedule'],
    optimisationEvents: ['Lead'],
  },
  restaurant: {
    metaVertical: 'RESTAURANT',
    events: ['PageView', 'ViewContent', 'Contact', 'Purchase', 'Schedule'],
    optimisationEvents: ['Purchase', 'Schedule'],
  },
  travel: {
    metaVertical: 'TRAVEL',
    events: ['PageView', 'Search', 'ViewContent', 'InitiateCheckout', 'Purchase'],
    optimisationEvents: ['Purchase'],
  },
} as const;

export type Vertical = keyof typeof verticalTemplates;
export const verticals = Object.keys(verticalTemplates) as Vertical[];
