"use strict";
(() => {
  const main = document.getElementById("main");
  const state = JSON.parse(main.dataset.floor);
  const w = state.words;
  const KEY = `plantledger-floor:${state.site}:${state.line}`;
  const EVERY_MS = 20000;
  let queue = read();
  let place = null;
  let online = navigator.onLine;
  let sending = false;
  let stale = false;
  let open = null;
  const done = new Set();

  function read() {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return []; }
  }
  function keep() {
    try { localStorage.setItem(KEY, JSON.stringify(queue)); } catch { /* a full or closed store: kept in memory */ }
    link();
  }
  function id() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  function make(name, className, text) {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  }
  function button(className, text, act) {
    const node = make("button", className, text);
    node.type = "button";
    node.addEventListener("click", act);
    return node;
  }
  function clock(iso) {
    return new Intl.DateTimeFormat(state.lang, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: state.zone })
      .format(new Date(iso));
  }
  function when(iso) {
    const day = (date) => new Intl.DateTimeFormat("en-CA", { timeZone: state.zone }).format(date);
    if (day(new Date(iso)) === day(new Date())) return clock(iso);
    return `${new Intl.DateTimeFormat(state.lang, { weekday: "short", timeZone: state.zone }).format(new Date(iso))} ${clock(iso)}`;
  }
  function link() {
    const node = document.getElementById("link");
    const waits = queue.length ? ` · ${queue.length} ${w.waiting}` : "";
    node.textContent = (online ? w.online : w.offline) + waits;
    node.classList.toggle("off", !online || queue.length > 0);
    if (stale) {
      const back = make("a", "", w.login);
      back.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
      node.append(" · ", back);
    }
  }
  function tell(text, bad, buttons) {
    const node = document.getElementById("told");
    node.replaceChildren(make("p", "", text), ...(buttons || []));
    node.classList.toggle("bad", Boolean(bad));
    node.classList.add("on");
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => node.classList.remove("on"), 20000);
  }

  // What is tapped: kept first, then sent; the server keeps what has one request id once.
  function put(item) {
    queue.push({ request: id(), at: new Date().toISOString(), ...item });
    keep();
    flush();
    draw();
  }
  async function flush() {
    if (sending) return;
    sending = true;
    try {
      while (queue.length) {
        const item = queue[0];
        const answer = await send(item);
        if (!answer) break;
        queue = queue.filter((one) => one.request !== item.request);
        keep();
        await after(item, answer);
      }
    } finally {
      sending = false;
    }
    if (!queue.length && flush.sent) { flush.sent = false; refresh(); }
  }
  async function send(item) {
    const headers = { "Content-Type": "application/json" };
    if (state.token) headers["X-CSRF-Token"] = state.token;
    const body = item.dedupe === false ? item.body : { ...item.body, request: item.request };
    let answer;
    try {
      answer = await fetch(item.path, { method: item.method || "POST", headers, body: JSON.stringify(body) });
    } catch {
      online = false;
      link();
      tell(w.kept, false);
      return null;
    }
    online = true;
    if (answer.status === 401 || answer.status === 403) { stale = true; link(); tell(w.login, true); return null; }
    if (answer.status >= 500 || answer.status === 429) { link(); tell(w.kept, false); return null; }
    stale = false;
    return answer;
  }
  async function after(item, answer) {
    flush.sent = true;
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const why = (said.errors || []).map((one) => one.message).join("; ") || said.detail || answer.status;
      done.delete(item.of);
      tell(`${w.refused} ${why}`, true);
      return;
    }
    if (item.what === "answer") answered(said);
    else if (item.what === "undo") { done.delete(item.of); tell(item.said || w.taken_back); }
    else if (item.what === "note") noted(said);
    else if (item.what === "confirm") tell(`${w.sent} ${said.noted.explains.said}`);
    else tell(w.sent);
  }
  function answered(said) {
    const number = said.question.id;
    const undo = (what, word) => button("tap small", word, () => {
      put({ what: "undo", path: `/v1/questions/${number}/undo`, body: { what, lang: state.lang }, dedupe: false,
        of: what === "answer" ? `q${number}` : null });
    });
    const buttons = [];
    if (said.like.length) buttons.push(undo("like", w.only_this));
    buttons.push(undo("answer", w.take_back));
    tell(said.note ? `${w.sent} ${said.explains.said}` : w.sent, false, buttons);
  }
  function noted(said) {
    const number = said.note.id;
    tell(`${state.kind_words[said.note.kind]}. ${said.explains.said}`, false, [
      button("tap small", w.words, () => ask(w.words, (text) =>
        put({ what: "patch", method: "PATCH", path: `/v1/notes/${number}`, body: { text }, dedupe: false }))),
      button("tap small", w.take_back, () => put({ what: "undo", path: `/v1/notes/${number}/withdraw`, body: {}, dedupe: false })),
    ]);
  }
  function ask(label, use) {
    const box = make("form", "more");
    const field = make("input");
    field.setAttribute("aria-label", label);
    field.maxLength = 500;
    const ok = make("button", "tap", w.send);
    box.append(field, ok, button("tap small", w.cancel, () => { document.getElementById("told").classList.remove("on"); }));
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      if (field.value.trim()) use(field.value.trim());
    });
    const node = document.getElementById("told");
    node.replaceChildren(box);
    node.classList.remove("bad");
    node.classList.add("on");
    clearTimeout(tell.timer);
    field.focus();
  }

  function drawNow() {
    document.getElementById("now").replaceChildren(...state.now.map((one) => {
      const card = make("article", `now s-${one.stale ? "unknown" : one.state}`);
      card.append(make("h3", "", one.machine));
      const word = make("p", "big", one.word);
      card.append(word);
      const since = one.stale ? `${w.no_data} ${when(one.through)}` : one.since ? `${w.since} ${when(one.since)}` : "";
      card.append(make("p", "soft", [since, one.reason].filter(Boolean).join(" · ")));
      if (one.order) {
        card.append(make("p", "", `${w.order} ${one.order}${one.product ? ` · ${one.product}` : ""}`));
        const made = Math.round(one.good);
        if (one.planned) {
          const bar = make("progress");
          bar.max = one.planned;
          bar.value = Math.min(made, one.planned);
          bar.setAttribute("aria-label", `${made} ${w.of} ${one.planned}`);
          card.append(bar, make("p", "", `${made} ${w.of} ${Math.round(one.planned)} ${w.good} · ${Math.round(one.due)} ${w.due}`));
        } else {
          card.append(make("p", "", `${made} ${w.good}`));
        }
      }
      return card;
    }));
  }
  function drawQuestions() {
    const waiting = new Set(queue.map((one) => one.of));
    const rows = state.questions.filter((one) => !waiting.has(`q${one.id}`) && !done.has(`q${one.id}`)).slice(0, 3);
    const cards = rows.map((one) => {
      const card = make("article", "ask");
      const money = one.amount === null || !state.shows_money ? "" : ` (${state.currency} ${Math.round(one.amount)})`;
      card.append(make("h3", "", one.question + money));
      if (one.spans > 1) card.append(make("p", "soft", one.rule));
      const taps = make("div", "taps");
      const say = (answer, text) => {
        done.add(`q${one.id}`);
        put({ what: "answer", of: `q${one.id}`, path: `/v1/questions/${one.id}/answer`, body: { answer, text: text || "", lang: state.lang } });
      };
      for (const choice of one.choices) {
        const more = choice.answer === "other";
        const soft = more || choice.answer === "dont_know";
        taps.append(button(`tap${soft ? " soft" : ""}`, choice.word, () => {
          if (more) ask(w.what, (text) => say("other", text));
          else say(choice.answer);
        }));
      }
      card.append(taps);
      return card;
    });
    document.getElementById("asked").replaceChildren(...(cards.length ? cards : [make("p", "soft", w.no_questions)]));
  }
  function drawDecisions() {
    const waiting = new Set(queue.map((one) => one.of));
    const drafts = state.decisions.filter((one) => one.status === "detected" && !waiting.has(`d${one.id}`) && !done.has(`d${one.id}`));
    document.getElementById("s-seen").hidden = !drafts.length;
    document.getElementById("seen").replaceChildren(...drafts.slice(0, 3).map((one) => {
      const card = make("article", "ask");
      card.append(make("h3", "", `${one.machine}: ${one.text}`), make("p", "soft", `${when(one.from)} – ${when(one.to)}`));
      const taps = make("div", "taps");
      const decide = (what) => {
        done.add(`d${one.id}`);
        const body = { lang: state.lang };
        put({ what, of: `d${one.id}`, path: `/v1/decisions/${one.id}/${what}`, body, dedupe: what === "confirm" });
      };
      taps.append(button("tap", w.confirm, () => decide("confirm")), button("tap soft", w.dismiss, () => decide("dismiss")));
      card.append(taps);
      return card;
    }));
    const force = state.decisions.filter((one) => one.note !== null && one.in_force && !waiting.has(`n${one.note}`) && !done.has(`n${one.note}`));
    document.getElementById("s-force").hidden = !force.length;
    document.getElementById("force").replaceChildren(...force.slice(0, 6).map((one) => {
      const card = make("article", "ask row");
      const said = [one.machine || one.line, state.kind_words[one.kind], one.text].filter(Boolean).join(" · ");
      card.append(make("p", "", `${said} · ${w.since} ${when(one.from)}`));
      card.append(button("tap small", w.over, () => {
        done.add(`n${one.note}`);
        put({ what: "patch", of: `n${one.note}`, method: "PATCH", path: `/v1/notes/${one.note}`, body: { to: new Date().toISOString() }, dedupe: false });
      }));
      return card;
    }));
  }
  function drawTaps() {
    const places = [null, ...state.machines];
    document.getElementById("places").replaceChildren(...places.map((name) => {
      const node = button("tap small", name || w.whole_line, () => { place = name; drawTaps(); });
      node.setAttribute("aria-pressed", String(place === name));
      return node;
    }));
    document.getElementById("kinds").replaceChildren(...state.kinds.map(({ kind, word }) => button("tap", word, () => {
      const body = { site: state.site, kind, from: new Date().toISOString() };
      if (place) body.machine = place; else body.line = state.line;
      put({ what: "note", path: "/v1/notes", body });
    })));
  }
  function draw() {
    drawNow();
    drawQuestions();
    drawDecisions();
    link();
  }
  async function get(path, more) {
    const query = new URLSearchParams({ site: state.site, line: state.line, lang: state.lang, ...more });
    const answer = await fetch(`${path}?${query}`);
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).rows;
  }
  async function refresh() {
    const since = new Date(Date.now() - 2 * 86400000).toISOString();
    try {
      const [now, questions, decisions] = await Promise.all([
        get("/v1/now"), get("/v1/questions"), get("/v1/decisions", { from: since, measured: "no" }),
      ]);
      state.now = now;
      state.questions = questions;
      state.decisions = decisions.filter((one) => one.status === "detected" || one.in_force);
      online = true;
    } catch (error) {
      if (error instanceof TypeError) online = false;
    }
    draw();
    if (online && queue.length) flush();
  }

  drawTaps();
  draw();
  flush();
  window.addEventListener("online", () => { online = true; refresh(); });
  window.addEventListener("offline", () => { online = false; link(); });
  setInterval(refresh, EVERY_MS);
})();
