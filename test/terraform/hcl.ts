/** HashiCorp's own HCL parser, as WebAssembly. */
import { createRequire } from 'node:module';

interface Hcl {
  /** The blocks and attributes of one file; expressions stay text, `${…}`. */
  readonly parse: (fileName: string, content: string) => Promise<Record<string, unknown>>;
  /** The syntax tree of one expression. */
  readonly getExpressionAst: (fileName: string, expression: string) => Promise<unknown>;
}

// Its own types bring those of a browser with them, which then hold for the whole repository.
export const { parse, getExpressionAst } = createRequire(import.meta.url)('@cdktn/hcl2json') as Hcl;
