import type { SimulatorContext } from './context.ts';
import { endpoint } from './endpoint.ts';
import { row, rows } from './field-selection.ts';
import { invalidParameter, permissionDenied } from './graph-error.ts';
import { toMinor } from './meta-enums.ts';
import { bool, decimal, fromJson, id, json, Mismatch, oneOf, optional, required } from './parameters.ts';
import { creditAllocation, extendedCredit } from './shapes.ts';
import type { CreditAllocation, ExtendedCredit } from './world.ts';

/**
 * The amount of an allocation: a bare number, whose unit is a switch, or a CurrencyAmount object
 * (`{amount, currency}` in whole units, or `amount_in_hundredths`).
 */
function amountMinor(raw: unknown, credit: ExtendedCredit, { switches }: SimulatorContext): bigint {
  const value = fromJson(raw);
  const inUnit = (text: unknown, unit: 'whole' | 'hundredths'): bigint => {
    try {
      const amount = decimal.read(text);
      return unit === 'whole' ? toMinor(amount, credit.currency) : BigInt(amount);
    } catch (error) {
      if (error instanceof Mismatch || error instanceof SyntaxError) {
        throw invalidParameter('amount', 'must be an amount.');
      }
      throw error;
    }
  };
  if (typeof value !== 'object' || value === null) return inUnit(value, switches.credit_amount_unit);
  const { amount, currency, amount_in_hundredths: hundredths } = value as Record<string, unknown>;
  if (currency !== undefined && currency !== credit.currency) {
    throw invalidParameter('amount', `must be in the currency of the credit line, ${credit.currency}.`);
  }
  return hundredths === undefined ? inUnit(amount, 'whole') : inUnit(hundredths, 'hundredths');
}

const listCredits = endpoint({
  operation: 'list_extended_credits',
  method: 'GET',
  on: 'business',
  edge: 'extendedcredits',
  isList: true,
  credentials: ['parent', 'child'],
  scopes: ['business_management'],
  business: 'own',
  parameters: { order_by_is_owned_credential: optional(bool) },
  handle({ node, context: { store, switches } }) {
    const isMissing = node.id === store.seed.parentBusinessId && !switches.credit_line_available;
    return rows(extendedCredit, isMissing ? [] : store.many('extended_credit', node.creditIds));
  },
});

const readCredit = endpoint({
  operation: 'read_extended_credit',
  method: 'GET',
  on: 'extended_credit',
  credentials: ['parent', 'child'],
  scopes: ['business_management'],
  parameters: {},
  handle: ({ node }) => row(extendedCredit, node),
});

const listAllocations = endpoint({
  operation: 'list_credit_allocations',
  method: 'GET',
  on: 'extended_credit',
  edge: 'owning_credit_allocation_configs',
  isList: true,
  credentials: ['parent'],
  scopes: ['business_management'],
  parameters: { receiving_business_id: optional(id) },
  handle({ node, params, context: { store } }) {
    const wanted = params.receiving_business_id;
    const ids =
      wanted === undefined ? [...node.allocationsByReceiver.values()].flat() : node.allocationsByReceiver.get(wanted);
    return rows(creditAllocation, store.many('credit_allocation', ids ?? []));
  },
});

const createAllocation = endpoint({
  operation: 'create_credit_allocation',
  method: 'POST',
  on: 'extended_credit',
  edge: 'owning_credit_allocation_configs',
  credentials: ['parent'],
  scopes: ['business_management'],
  parameters: {
    receiving_business_id: required(id),
    amount: optional(json),
    liability_type: optional(oneOf(['', 'MSA', 'Normal', 'Sequential'])),
    partition_type: optional(oneOf(['AUTH', 'FIXED', 'FIXED_WITHOUT_PARTITION'])),
    send_bill_to: optional(oneOf(['', 'Advertiser', 'Agency'])),
  },
  handle({ node: credit, params, credential, context, nowMs }) {
    const { store, switches } = context;
    if (!switches.parent_is_finance_editor) {
      throw permissionDenied(200, 'Requires the Finance Editor role in the business that owns the credit line');
    }
    const child = store.find('business', params.receiving_business_id);
    if (child === undefined || child.parentId !== credential.business.id) {
      throw invalidParameter('receiving_business_id', 'is not a business this credit line can be shared with.');
    }
    const earlier = credit.allocationsByReceiver.get(child.id) ?? [];
    if (earlier.length > 0 && switches.credit_allocation_unique) {
      throw invalidParameter('receiving_business_id', 'already receives this credit line.');
    }
    const minor = params.amount === undefined ? 0n : amountMinor(params.amount, credit, context);
    const allocationId = store.newId('credit_allocation');
    const received = store.add<ExtendedCredit>({
      kind: 'extended_credit',
      id: store.newId('extended_credit'),
      ownerBusinessId: child.id,
      legalEntityName: credit.legalEntityName,
      currency: credit.currency,
      maxBalanceMinor: minor,
      createdAtMs: nowMs,
      receivedThrough: allocationId,
      isAccessRevoked: false,
      allocationsByReceiver: new Map(),
    });
    store.add<CreditAllocation>({
      kind: 'credit_allocation',
      id: allocationId,
      creditId: credit.id,
      receivingBusinessId: child.id,
      receivingCreditId: received.id,
      amountMinor: minor,
      liabilityType: params.liability_type ?? 'Normal',
      partitionType: params.partition_type ?? 'FIXED',
      sendBillTo: params.send_bill_to ?? 'Agency',
      requestStatus: 'APPROVED',
      createdAtMs: nowMs,
    });
    child.creditIds.push(received.id);
    credit.allocationsByReceiver.set(child.id, [...earlier, allocationId]);
    return { id: allocationId };
  },
});

const readAllocation = endpoint({
  operation: 'read_credit_allocation',
  method: 'GET',
  on: 'credit_allocation',
  credentials: ['parent'],
  scopes: ['business_management'],
  parameters: {},
  handle: ({ node }) => row(creditAllocation, node),
});

const updateAllocation = endpoint({
  operation: 'update_credit_allocation',
  method: 'POST',
  on: 'credit_allocation',
  credentials: ['parent'],
  scopes: ['business_management'],
  parameters: { amount: optional(json) },
  handle({ node, params, context }) {
    const credit = context.store.get('extended_credit', node.creditId);
    if (params.amount !== undefined) node.amountMinor = amountMinor(params.amount, credit, context);
    context.store.get('extended_credit', node.receivingCreditId).maxBalanceMinor = node.amountMinor;
    return { success: true };
  },
});

const revokeAllocation = endpoint({
  operation: 'revoke_credit_allocation',
  method: 'DELETE',
  on: 'credit_allocation',
  credentials: ['parent'],
  scopes: ['business_management'],
  parameters: {},
  handle({ node, context: { store } }) {
    const { allocationsByReceiver } = store.get('extended_credit', node.creditId);
    const rest = (allocationsByReceiver.get(node.receivingBusinessId) ?? []).filter((other) => other !== node.id);
    if (rest.length === 0) allocationsByReceiver.delete(node.receivingBusinessId);
    else allocationsByReceiver.set(node.receivingBusinessId, rest);
    const received = store.get('extended_credit', node.receivingCreditId);
    received.isAccessRevoked = true;
    received.receivedThrough = undefined;
    const child = store.get('business', node.receivingBusinessId);
    child.creditIds = child.creditIds.filter((creditId) => creditId !== received.id);
    store.remove(node);
    return { success: true };
  },
});

export const creditLineEndpoints = [
  listCredits,
  readCredit,
  listAllocations,
  createAllocation,
  readAllocation,
  updateAllocation,
  revokeAllocation,
];
