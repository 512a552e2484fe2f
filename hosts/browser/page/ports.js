// A request of the page itself to an app's port: HTTP/1.1 over one of the app's sockets.
const HEAD_MOST = 65536, BODY_MOST = 32 * 1024 * 1024, TIME_MS = 30000;
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

// Where the empty line ends; below 0: not yet.
function head_end(bytes) {
  for (let i = 3; i < bytes.length; i++)
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13)
      return i + 1;
  return -1;
}

// The chunks of a body as one; what comes after a chunk that is cut off is left out.
function unchunked(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length;) {
    const line_end = bytes.indexOf(10, at);
    const size = line_end < 0 ? 0 : parseInt(from_text.decode(bytes.subarray(at, line_end)), 16);
    if (!(size > 0))
      break;
    pieces.push(bytes.subarray(line_end + 1, line_end + 1 + size));
    at = line_end + 1 + size + 2;
  }
  return joined(pieces);
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
  const body = chunked ? unchunked(bytes.subarray(end)) : bytes.subarray(end);
  const own = ['transfer-encoding', 'connection', 'content-length', 'keep-alive'];
  return { status: Number(status[1]), headers: headers.filter(([name]) => !own.includes(name)), body };
}

export class PageRemote {
  ended = false;
  failed = false;
  #request; #pieces = []; #size = 0; #done; #timer;
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
    this.#done = done;
    this.#timer = setTimeout(() => this.#finish(failure(504, 'the app does not answer')), TIME_MS);
  }

  #finish(answer) {
    clearTimeout(this.#timer);
    this.#done?.(answer);
    this.#done = null;
    this.ended = true; // the app hears that nothing follows
  }

  // An answer need not wait for the app to close: its own head may say how long it is.
  #look_at_head() {
    const bytes = joined(this.#pieces), end = head_end(bytes);
    if (end < 0 && bytes.length <= HEAD_MOST)
      return;
    const head = from_text.decode(bytes.subarray(0, Math.max(end, 0)));
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head);
    this.#whole = length ? end + Number(length[1]) : Infinity;
  }

  send(bytes) {
    this.#size += bytes.length;
    if (this.#size > HEAD_MOST + BODY_MOST)
      this.#finish(failure(502, 'the answer is too long'));
    else if (this.#done)
      this.#pieces.push(bytes.slice());
    if (this.#done && Number.isNaN(this.#whole))
      this.#look_at_head();
    if (this.#done && this.#size >= this.#whole)
      this.end();
    return bytes.length;
  }

  pull(most) {
    const piece = this.#request.subarray(0, most);
    this.#request = this.#request.subarray(piece.length);
    return piece.length ? piece : null;
  }

  end() { this.#finish(parse_answer(joined(this.#pieces))); }
  close() { this.#finish(failure(502, 'the app has ended without an answer')); }
}
