import { assignPixelUser, pixelTasks, readPixelUsers } from '../../../shared/meta/pixels.ts';
import type { StepContext } from '../../../shared/runtime/step-function.ts';
import type { Operator } from '../operator.ts';

/** Lets the operating system user send events to the dataset. */
export async function ensurePixelUser(
  ensure: StepContext<'create-pixel'>['ensure'],
  { graph, businessId, systemUserId }: Operator,
  datasetId: string,
): Promise<void> {
  const userId = await systemUserId();
  await ensure({
    name: 'pixel-user',
    desired: { datasetId, systemUserId: userId, tasks: pixelTasks },
    find: async () => {
      const users = await readPixelUsers(graph, { pixelId: datasetId, businessId });
      const tasks = users.find(({ id }) => id === userId)?.tasks ?? [];
      return pixelTasks.every((task) => tasks.includes(task)) ? { systemUserId: userId } : undefined;
    },
    create: async () => {
      await assignPixelUser(graph, { pixelId: datasetId, userId });
      return { systemUserId: userId };
    },
  });
}
