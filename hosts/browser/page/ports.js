// A request of the page itself to an app's port: HTTP/1.1 over one of the app's sockets.
const HEAD_MOST = 65536, BODY_MOST = 32 * 1024 * 1024, TIME_MS = 30000;
const CUT_OFF = 'the app has ended in the middle of its answer';
const text = new TextEncoder(), from_text = new TextDecoder('latin1');

const failure = (status, why) =>
  ({ status, headers: [['content-type', 'text/plain; charset=utf-8']], body: text.encode(`${why}\n`) });

function joined(pieces) {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

// Where the empty line ends, looked for from `from` on; below 0: not yet.
function head_end(bytes, from = 0) {
  for (let i = from + 3; i < bytes.length; i++)
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13)
      return i + 1;
  return -1;
}

// The chunks of a body as one; null: they are cut off.
function unchunked(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length;) {
    const line_end = bytes.indexOf(10, at);
    const size = line_end < 0 ? NaN : parseInt(from_text.decode(bytes.subarray(at, line_end)), 16);
    if (size === 0)
      return joined(pieces);
    if (!(size > 0) || line_end + 1 + size > bytes.length)
      return null;
    pieces.push(bytes.subarray(line_end + 1, line_end + 1 + size));
    at = line_end + 1 + size + 2;
  }
  return null;
}

// What an app has answered, its connection being at its end.
export function parse_answer(bytes) {
  const end = head_end(bytes);
  const lines = end < 0 ? [] : from_text.decode(bytes.subarray(0, end)).split('\r\n');
  const status = lines.length ? /^HTTP\/1\.[01] (\d{3})/.exec(lines[0]) : null;
  if (!status || status[1] < 200)
    return failure(502, 'the app has answered something that is not HTTP');
  const headers = [];
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0)
      headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
  }
  const chunked = headers.some(([name, value]) => name === 'transfer-encoding' && /chunked/i.test(value));
  const body = chunked ? unchunked(bytes.subarray(end)) : bytes.slice(end); // its own: it is handed over
  if (!body)
    return failure(502, CUT_OFF);
  const own = ['transfer-encoding', 'connection', 'content-length', 'keep-alive'];
  return { status: Number(status[1]), headers: headers.filter(([name]) => !own.includes(name)), body };
}

export class PageRemote {
  ended = false;
  failed = false;
  #request; #done; #timer; #has_body;
  #bytes = new Uint8Array(4096); #size = 0; // what has come
  #whole = NaN; // how many bytes the answer has, when its head has said so

  // request: { port, method, path, headers: [[name, value]], body }; done(answer), once.
  constructor({ port, method, path, headers, body }, done) {
    const lines = [`${method} ${path} HTTP/1.1`, `host: localhost:${port}`, 'connection: close'];
    for (const [name, value] of headers)
      if (!['host', 'connection', 'content-length'].includes(name))
        lines.push(`${name}: ${value}`);
    if (body.length)
      lines.push(`content-length: ${body.length}`);
    this.#request = joined([text.encode(lines.join('\r\n') + '\r\n\r\n'), body]);
    this.#has_body = method !== 'HEAD';
    this.#done = done;
    this.#timer = setTimeout(() => this.#finish(failure(504, 'the app does not answer')), TIME_MS);
  }

  // Whatever the app does with its end from here on, nothing is kept for it.
  #finish(answer) {
    clearTimeout(this.#timer);
    this.#done?.(answer);
    this.#done = null;
    this.#bytes = this.#request = new Uint8Array(0);
    this.ended = true; // the app hears that nothing follows
  }

  #keep(bytes) {
    if (this.#size + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#size + bytes.length));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  // An answer need not wait for the app to close: its own head may say how long it is.
  #look_for_head(from) {
    const end = head_end(this.#bytes.subarray(0, this.#size), Math.max(from - 3, 0));
    if (end < 0 && this.#size <= HEAD_MOST)
      return;
    const head = from_text.decode(this.#bytes.subarray(0, Math.max(end, 0)));
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head);
    const is_bare = !this.#has_body || /^HTTP\/1\.[01] (204|304)/.test(head);
    this.#whole = is_bare ? end : length ? end + Number(length[1]) : Infinity;
  }

  send(bytes) {
    if (!this.#done)
      return bytes.length;
    const before = this.#size;
    this.#keep(bytes);
    if (Number.isNaN(this.#whole))
      this.#look_for_head(before);
    if (this.#size > HEAD_MOST + BODY_MOST)
      this.#finish(failure(502, 'the answer is too long'));
    else if (this.#size >= this.#whole)
      this.end();
    return bytes.length;
  }

  pull(most) {
    const piece = this.#request.subarray(0, most);
    this.#request = this.#request.subarray(piece.length);
    return piece.length ? piece : null;
  }

  end() {
    if (Number.isFinite(this.#whole) && this.#size < this.#whole)
      this.#finish(failure(502, CUT_OFF));
    else if (this.#done)
      this.#finish(parse_answer(this.#bytes.subarray(0, this.#size)));
  }

  close() { this.#finish(failure(502, 'the app has ended without an answer')); }
  refuse(why) { this.#finish(failure(503, why)); }
}
