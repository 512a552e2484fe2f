// One file of a module and those that it imports, so that a browser asks once and not for one
// level of imports after another. For modules as ours are written: imports and exports each on a
// line of its own, at its beginning; no exported variable changes; no await outside of functions.
// What a module does on its own it does in the order that imports have anyway.
const IMPORT = /^import (?:\{ ([^}]*) \} from )?'\.\/([^']+)';.*\n/gm;
const EXPORT = /^export (?=(?:async function|function|class|const) (\w+))/gm;
const LEFT = /^(?:import|export)\b.*/m;

const names_in = list => list ? list.split(',').map(name => name.trim()) : [];
const called = name => `in_${name.replace(/\W/g, '_')}`;

// read(name): the text of a module, or null when it is to be imported as it is.
export function join_modules(entry, read) {
  const exports_of = new Map(), before = [];

  function with_imports(name, text, outer) {
    if (outer.includes(name))
      throw new Error(`${outer.at(-1)}: imports ${name}, which imports it`);
    const body = text.replace(IMPORT, (line, list, other) => {
      const wanted = names_in(list), exported = exports(other, [...outer, name]);
      if (!exported) { // as it is, and before all else, as in any module
        before.push(line);
        return '';
      }
      const missing = wanted.find(one => !exported.includes(one));
      if (missing)
        throw new Error(`${name}: imports ${missing}, which ${other} does not export in a line that ` +
                        'join.mjs understands');
      return wanted.length ? `const { ${wanted.join(', ')} } = ${called(other)};\n` : '';
    });
    return body;
  }

  // The names that it exports, its code being among `before`; null: it is imported as it is.
  function exports(name, outer) {
    if (exports_of.has(name))
      return exports_of.get(name);
    const text = read(name), names = text === null ? null : [];
    if (names) {
      const body = with_imports(name, text, outer)
        .replace(EXPORT, (_, exported) => { names.push(exported); return ''; });
      refuse_rest(name, body);
      before.push(`// --- ${name}\nconst ${called(name)} = (() => {\n${body}return { ${names.join(', ')} };\n})();\n`);
    }
    exports_of.set(name, names);
    return names;
  }

  const body = with_imports(entry, read(entry), []);
  refuse_rest(entry, body);
  return `${before.join('')}// --- ${entry}\n${body}`;
}

function refuse_rest(name, body) {
  const left = LEFT.exec(body);
  if (left)
    throw new Error(`${name}: join.mjs does not understand: ${left[0]}`);
}
