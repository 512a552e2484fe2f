// A page's folder with many copies of an app, each of its own name: many-1, many-2, ...
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PARTS = 'out/tests/browser/parts';

// kind: of the copy with this number, the app that it is of. The folder for a server, below `work`.
export function with_copies(work, count, kind) {
  const parts = join(work, 'parts');
  cpSync(PARTS, parts, { recursive: true });
  for (let i = 1; i <= count; i++) {
    const app = kind(i), from = join(parts, 'apps', app), folder = join(parts, `apps/many-${i}`);
    mkdirSync(folder);
    cpSync(join(from, `${app}.wasm`), join(folder, `${app}.wasm`));
    writeFileSync(join(folder, 'vyoma.toml'), readFileSync(join(from, 'vyoma.toml'), 'utf8')
      .replace(`name = "${app}"`, `name = "many-${i}"`));
  }
  const sealed = spawnSync('node', ['hosts/browser/seal.mjs', parts, join(work, 'web')]);
  if (sealed.status !== 0)
    throw new Error(String(sealed.stderr));
  return join(work, 'web');
}
