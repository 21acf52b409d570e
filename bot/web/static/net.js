// Talks to the server: one call, the queue of what is not sent yet, and the stream of events.

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
  get isFinal() { return this.status >= 400 && this.status < 500 && this.status !== 429 && this.status !== 401; }
}

export async function call(path, body) {
  const answer = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  });
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, value.error || `the server answered ${answer.status}`);
  return value;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const later = (attempt) => Math.min(15000, 500 * 2 ** attempt) * (0.75 + Math.random() / 2);

// Sends until the server took it or refused it for good. Every attempt carries the same id, so it counts once.
export async function insist(path, body, { retrying, lost } = {}) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call(path, body);
    } catch (error) {
      if (error.isFinal) throw error;
      if (error.status === 401) { lost?.(); throw error; }
      retrying?.(error);
      await pause(later(attempt));
    }
  }
}

// Messages wait here, in order, also over a reload, until the server has them.
export class Queue {
  constructor(name, { sent, refused, retrying, lost }) {
    Object.assign(this, { name, sent, refused, retrying, lost, busy: false });
    try { this.items = JSON.parse(localStorage.getItem(name)) || []; } catch { this.items = []; }
  }
  add(item) {
    this.items.push(item);
    this.keep();
    this.flush();
  }
  keep() {
    // A private window may refuse storage: then the queue lives as long as the page.
    try { localStorage.setItem(this.name, JSON.stringify(this.items)); } catch { /* see above */ }
  }
  async flush() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.items.length) {
        const item = this.items[0];
        try {
          await insist("/api/messages", item, { retrying: () => this.retrying(item), lost: this.lost });
          this.sent(item);
        } catch (error) {
          if (!error.isFinal) return;  // no session: it is sent after the next link
          this.refused(item, error.message);
        }
        this.items.shift();
        this.keep();
      }
    } finally {
      this.busy = false;
    }
  }
}

// Follows one conversation. The browser reconnects by itself with Last-Event-ID; where it gives up, this does not.
export class Stream {
  constructor({ event, reset, state, lost }) {
    Object.assign(this, { event, reset, state, lost, source: null, attempt: 0, last: 0, timer: 0 });
  }
  open(conversation, last) {
    this.close();
    this.conversation = conversation;
    this.last = last;
    const source = new EventSource(`/api/events?conversation=${conversation}&after=${last}`);
    this.source = source;
    source.onopen = () => { this.attempt = 0; this.state("on"); };
    source.onmessage = (message) => {
      const event = JSON.parse(message.data);
      this.last = event.id;
      this.event(event);
    };
    source.addEventListener("reset", () => this.reset());
    source.onerror = () => {
      this.state("off");
      if (source.readyState === EventSource.CLOSED && source === this.source) this.again();
    };
  }
  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      try {
        await call("/api/me");
      } catch (error) {
        if (error.status === 401) return this.lost();
        return this.again();
      }
      this.open(this.conversation, this.last);
    }, later(this.attempt++));
  }
  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
