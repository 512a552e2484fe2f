// How much memory an app may have: the browser's engine offers no bound from outside, so the bound
// is written into the module's own memory section before it is compiled. The hash was of the
// bytes as they came.

const MEMORY_SECTION = 5, HAS_MAX = 1;

// A number of the module at that place: [it, where it ends].
export function read_u32(bytes, at) {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined)
      break;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80)
      return [value, at];
  }
  throw new Error('the module ends in the middle of a number');
}

function u32(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128))
    bytes.push(value % 128 | 0x80);
  return [...bytes, value];
}

// The section's content with every maximum at most `pages`; an error when a minimum is more.
function limited(bytes, at, end, pages) {
  let [count, next] = read_u32(bytes, at);
  const out = u32(count);
  for (let i = 0; i < count; i++) {
    const flags = bytes[next++];
    if (flags & ~HAS_MAX)
      throw new Error('only unshared 32-bit memories are supported');
    let min, max = pages;
    [min, next] = read_u32(bytes, next);
    if (flags & HAS_MAX)
      [max, next] = read_u32(bytes, next);
    if (min > pages)
      throw new Error(`the module wants ${min} pages of memory, and may have ${pages}`);
    out.push(HAS_MAX, ...u32(min), ...u32(Math.min(max, pages)));
  }
  if (next !== end)
    throw new Error('the memory section is not as long as it says');
  return out;
}

// Pages that the module's own first memory begins with; 0 when it has none, or is no module.
export function least_memory(bytes) {
  try {
    for (let at = 8; at < bytes.length;) {
      const [size, start] = read_u32(bytes, at + 1);
      if (bytes[at] === MEMORY_SECTION)
        return read_u32(bytes, read_u32(bytes, start)[1] + 1)[0];
      at = start + size;
    }
  } catch { /* the engine will say so */ }
  return 0;
}

// The module's bytes, its memories bounded. What is no module is given back for the engine to say so.
export function limit_memory(bytes, pages) {
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at];
    const [size, start] = read_u32(bytes, at + 1);
    if (id === MEMORY_SECTION) {
      const content = limited(bytes, start, start + size, pages);
      const head = [id, ...u32(content.length)];
      const out = new Uint8Array(at + head.length + content.length + bytes.length - start - size);
      out.set(bytes.subarray(0, at));
      out.set(head, at);
      out.set(content, at + head.length);
      out.set(bytes.subarray(start + size), at + head.length + content.length);
      return out;
    }
    at = start + size;
  }
  return bytes;
}
