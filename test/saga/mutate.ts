/** Loaded with `node --import`: applies the mutant that `SAGA_MUTANT` names to its file while that is loaded. */
import { registerHooks } from 'node:module';
import { mutants } from './mutants.ts';

const name = process.env['SAGA_MUTANT'];
const mutant = mutants.find((known) => known.name === name);
if (mutant === undefined) throw new Error(`there is no mutant ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${mutant.file}`)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    const parts = source.split(mutant.find);
    if (parts.length !== 2)
      throw new Error(`${mutant.name}: its place occurs ${parts.length - 1} times in ${mutant.file}`);
    return { ...loaded, source: parts.join(mutant.replace) };
  },
});
