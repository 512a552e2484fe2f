// A connection through `vyoma bridge` (hosts/bridge/bridge.h): one WebSocket.
const BUFFERED_MOST = 65536;  // bytes that the browser may hold for the network
const AGAIN_MS = 5;           // until its buffer is looked at again; nothing tells
const ACK_BYTES = 32768;
const EIO = 29, NETUNREACH = 40;

export class BridgeRemote {
  ended = false;
  failed = false;
  #again = 0;
  #ws; #queue = []; #taken = 0; #open = false; #turn; #answer;

  // answer(errno): once, when it is known whether there is a connection. turn(): there is something.
  constructor(url, app, host, port, answer, turn) {
    this.#turn = turn;
    this.#answer = answer;
    this.#ws = new WebSocket(url);
    this.#ws.binaryType = 'arraybuffer';
    this.#ws.onopen = () => this.#ws.send(`${app}\n${host}\n${port}`);
    this.#ws.onmessage = ({ data }) => this.#hear(data);
    this.#ws.onclose = () => this.#over();
  }

  #tell(errno) {
    this.#answer?.(errno);
    this.#answer = null;
  }

  #hear(data) {
    if (this.#answer) {
      const errno = parseInt(data, 10);
      this.#open = errno === 0;
      this.#tell(Number.isInteger(errno) ? errno : EIO);
      return;
    }
    if (data === 'eof')
      this.ended = true;
    else if (data instanceof ArrayBuffer)
      this.#queue.push(new Uint8Array(data));
    this.#turn();
  }

  // Without "eof" it was cut off.
  #over() {
    clearTimeout(this.#again);
    this.#tell(NETUNREACH);
    this.failed = this.#open && !this.ended;
    this.ended = true;
    this.#open = false;
    this.#turn();
  }

  // last: all of it now, however much that is.
  send(bytes, last) {
    if (!this.#open)
      return bytes.length; // there is nobody to take it
    if (this.#ws.bufferedAmount > BUFFERED_MOST && !last) {
      this.#again ||= setTimeout(() => {
        this.#again = 0;
        this.#turn();
      }, AGAIN_MS);
      return 0;
    }
    this.#ws.send(bytes.slice());
    return bytes.length;
  }

  end() {
    if (this.#open)
      this.#ws.send('shutdown');
  }

  pull(most) {
    const bytes = this.#queue[0];
    if (!bytes)
      return null;
    const piece = bytes.subarray(0, most);
    if (piece.length === bytes.length)
      this.#queue.shift();
    else
      this.#queue[0] = bytes.subarray(most);
    this.#taken += piece.length;
    if (this.#open && this.#taken >= ACK_BYTES) {
      this.#ws.send(`ack ${this.#taken}`);
      this.#taken = 0;
    }
    return piece;
  }

  close() {
    clearTimeout(this.#again);
    this.#open = false;
    this.#ws.close();
  }
}
