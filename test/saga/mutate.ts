/** Loaded with `node --import`: applies the mutant that `SAGA_MUTANT` names to its file while that is loaded. */
import { registerHooks } from 'node:module';
import { mutants, withoutGuard } from './mutants.ts';

const name = process.env['SAGA_MUTANT'];
const mutant = mutants.find((known) => known.name === name);
if (mutant === undefined) throw new Error(`there is no mutant ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${mutant.file}`)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    return { ...loaded, source: withoutGuard(mutant, source) };
  },
});
