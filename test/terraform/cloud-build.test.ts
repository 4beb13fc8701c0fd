/** The builds are what Cloud Build accepts, run only what is there, and apply nothing without a person's approval. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../local/manifests.ts';
import { readConfiguration } from './configuration.ts';

const step = v.strictObject({
  id: v.string(),
  /** Pinned to a version: what is tested is what is deployed with. */
  name: v.pipe(
    v.string(),
    v.regex(/^[\w./-]+:\d+\.\d+\.\d+(-\w+)?(@sha256:[0-9a-f]{64})?$/, 'expected an image with a version'),
  ),
  entrypoint: v.optional(v.string()),
  dir: v.optional(v.string()),
  env: v.optional(v.array(v.string())),
  args: v.array(v.string()),
  waitFor: v.array(v.string()),
});
/** The parts of Cloud Build's schema that are used here. Source: Cloud Build, "Build configuration file schema". */
const buildSchema = v.strictObject({
  steps: v.pipe(v.array(step), v.minLength(1)),
  substitutions: v.record(v.pipe(v.string(), v.regex(/^_[A-Z0-9_]+$/)), v.string()),
  options: v.strictObject({
    machineType: v.optional(v.string()),
    /** Asked for by Cloud Build where a build runs as an account of one's own. */
    logging: v.literal('CLOUD_LOGGING_ONLY'),
    dynamicSubstitutions: v.optional(v.boolean()),
    substitutionOption: v.optional(v.picklist(['ALLOW_LOOSE', 'MUST_MATCH'])),
  }),
  timeout: v.pipe(v.string(), v.regex(/^\d+s$/)),
});
const builtIn = new Set(['PROJECT_ID', 'COMMIT_SHA']);

const files = ['cloudbuild.yaml', 'terraform/release/apply.cloudbuild.yaml'];
const builds = await Promise.all(
  files.map(async (file) => {
    const content = await readFile(join(repositoryRoot, file), 'utf8');
    return [file, v.parse(buildSchema, parse(content)), content] as const;
  }),
);

describe.each(builds)('%s', (_file, build, content) => {
  test('has steps with names of their own, each after steps that stand before it', () => {
    const before = new Set(['-']);
    for (const { id, waitFor } of build.steps) {
      expect(
        waitFor.filter((each) => !before.has(each)),
        `what ${id} waits for`,
      ).toEqual([]);
      expect(before.has(id), `${id} twice`).toBe(false);
      before.add(id);
    }
  });

  test('uses only substitutions that are declared, and declares those its trigger sets', async () => {
    const used = Array.from(content.matchAll(/(?<!\$)\$\{?([A-Z_][A-Z0-9_]*)\}?/g), ([, name = '']) => name);
    const declared = Object.keys(build.substitutions);
    expect(used.filter((name) => !builtIn.has(name) && !declared.includes(name))).toEqual([]);
    const { locals } = await readConfiguration(join(repositoryRoot, 'terraform'));
    expect(Object.keys(locals.get('build_substitutions') as object).sort()).toEqual(declared.toSorted());
  });

  test('runs scripts that are there', async () => {
    const manifest = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8')) as { scripts: object };
    for (const [, script = ''] of content.matchAll(/(terraform\/release\/\w+\.ts)/g))
      await access(join(repositoryRoot, script));
    for (const [, script = ''] of content.matchAll(/npm run (\w+)/g))
      expect(Object.keys(manifest.scripts)).toContain(script);
  });
});

test('nothing is uploaded, planned or applied before every test has passed', () => {
  const [[, plan]] = builds as [(typeof builds)[number]];
  const after = (id: string, of: string): boolean =>
    (plan.steps.find((each) => each.id === id)?.waitFor ?? []).some((each) => each === of || after(each, of));
  for (const id of ['upload', 'plan', 'keep-plan', 'ask-for-approval']) expect(after(id, 'test'), id).toBe(true);
});

test('only the approved build applies, a plan that was made before, and no trigger but a person’s starts it', async () => {
  const applying = builds.filter(([, , content]) => /terraform apply/.test(content));
  expect(applying.map(([file]) => file)).toEqual(['terraform/release/apply.cloudbuild.yaml']);
  expect(applying[0]?.[2]).toContain('terraform apply -input=false plan.bin');
  const { resources } = await readConfiguration(join(repositoryRoot, 'terraform'));
  const trigger = resources.get('google_cloudbuild_trigger.apply')?.raw;
  expect(trigger).toMatchObject({ approval_config: [{ approval_required: true }] });
  expect(trigger?.['git_file_source']).toMatchObject([{ path: 'terraform/release/apply.cloudbuild.yaml' }]);
  expect(trigger).not.toHaveProperty('repository_event_config');
});

test('the versions that build are those the project is pinned to', async () => {
  const { devDependencies } = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const images = new Set(builds.flatMap(([, build]) => build.steps.map(({ name }) => name.replace(/@.*$/, ''))));
  expect([...images].filter((image) => image.startsWith('node:'))).toEqual([
    `node:${devDependencies['node']}-bookworm`,
  ]);
});
