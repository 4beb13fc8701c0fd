import { operatorOn } from '../../shared/domain/provisioning-path.ts';
import type { OperatorKind } from '../../shared/domain/provisioning-path.ts';
import type { StepProducts } from '../../shared/domain/provisioning-steps.ts';
import type { AccessToken } from '../../shared/meta/access-token.ts';
import type { GraphAs } from '../../shared/meta/graph-client.ts';
import { debugToken } from '../../shared/meta/oauth.ts';
import { Failed } from '../../shared/runtime/outcomes.ts';
import type { StepContext } from '../../shared/runtime/step-function.ts';
import type { ProvisioningServices } from './services.ts';

/** Who makes and operates a tenant's assets on the path its run takes, and in which business they are made. */
export interface Operator {
  readonly graph: GraphAs<OperatorKind>;
  /** The child business, or the parent on the fallback path. */
  readonly businessId: string;
  /** The system user whom the assets are assigned to. */
  readonly systemUserId: () => Promise<string>;
}

type Services = Pick<ProvisioningServices, 'graph' | 'credentials' | 'kobi'>;

/** What of a step's context tells the operator: the step must need the child business and its system user. */
export interface OperatedContext extends Pick<StepContext<never>, 'tenant' | 'run'> {
  readonly product: ((need: 'create-child-business') => StepProducts['create-child-business']) &
    ((need: 'create-system-user') => StepProducts['create-system-user']);
}

/** @throws Waiting on kobi where the operator's token is missing */
export async function operatorOf(services: Services, { tenant, run, product }: OperatedContext): Promise<Operator> {
  const { graph, credentials, kobi } = services;
  const token = await credentials.operator(tenant.tenantId, operatorOn(run.path));
  if (run.path === 'two-tier') {
    return {
      graph: graph.as(token),
      businessId: product('create-child-business').childBusinessId,
      systemUserId: async () => product('create-system-user').systemUserId,
    };
  }
  return {
    graph: graph.as(token),
    businessId: kobi.parentBusinessId,
    systemUserId: () => systemUserOf(token, services),
  };
}

/** Each token is of one system user for good, so Meta is asked once. */
const systemUsers = new WeakMap<AccessToken, string>();

async function systemUserOf(token: AccessToken, { graph, credentials, kobi }: Services): Promise<string> {
  const known = systemUsers.get(token);
  if (known !== undefined) return known;
  const { userId } = await debugToken(graph.as(await credentials.app(kobi.appId)), token);
  if (userId === undefined) throw new Failed("Meta does not say which system user the parent's token is of");
  systemUsers.set(token, userId);
  return userId;
}
