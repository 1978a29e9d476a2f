
// ---- the page

const CHANNEL = 'lobby';
const HISTORY = 50;
const FACES = 5;
const SAME_BUBBLE_MS = 120000;

const find = (id) => document.getElementById(id);
const client = new Client(`/${document.documentElement.dataset.stage}`);
const room = client.subscribe(CHANNEL, { presence: true });
const me = recall(sessionStorage, 'gatepost-me', random);
const members = new Map(); // connections
const shown = new Set(); // positions of messages
let last; // {from, time} of the message at the end

function recall(storage, key, make) {
  const value = storage.getItem(key) ?? make();
  storage.setItem(key, value);
  return value;
}

const hue = (text) => [...text].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);
const paint = (element, text) => (element.style.background = `hsl(${hue(text)} 50% 40%)`);

// ---- messages

function bubble({ name, text, from, time }) {
  const line = document.createElement('li');
  const [who, face, words, at] = ['b', 'i', 'span', 'time'].map((tag) => document.createElement(tag));
  const isMine = from === me;
  const isFirst = last?.from !== from || last.name !== name || time - last.time > SAME_BUBBLE_MS;

  at.textContent = new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  who.append(isMine ? '' : name, at);
  face.textContent = [...name][0]?.toUpperCase() ?? '';
  paint(face, from + name);
  words.textContent = text;
  line.append(who, face, words);
  line.classList.toggle('mine', isMine);
  line.classList.toggle('first', isFirst);
  return line;
}

function append(line) {
  const talk = find('talk');
  const isAtEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60;

  talk.append(line);
  find('empty').hidden = true;
  if (isAtEnd || line.classList.contains('mine')) talk.scrollTop = talk.scrollHeight;
}

// Anyone may publish anything here.
const isTalk = (data) => ['name', 'text', 'from'].every((key) => typeof data?.[key] === 'string');

function show({ epoch, offset, time, data }) {
  const place = `${epoch}:${offset}`;
  if (shown.has(place)) return;
  shown.add(place);
  if (!isTalk(data)) return;
  const said = { ...data, time };
  append(bubble(said));
  last = said;
}

function note(text) {
  const line = document.createElement('li');
  line.className = 'note';
  line.textContent = text;
  append(line);
  last = undefined;
}

let loading = []; // messages that come while the history is read
let loads = 0;

async function load() {
  const turn = ++loads;
  let messages = [];

  loading ??= [];
  try {
    ({ messages } = await client.history(CHANNEL, { limit: HISTORY, reverse: true }));
  } catch (error) {
    note(`The history cannot be read: ${error.message}`);
  }
  if (turn !== loads) return; // begun anew
  for (const message of [...messages.reverse(), ...loading]) show(message);
  loading = undefined;
  find('empty').hidden = find('talk').childElementCount > 0;
}

room.on('message', (message) => (loading ? loading.push(message) : show(message)));
room.on('reset', ({ reason }) => {
  note(`Messages were missed (${reason})`);
  load();
});

async function say(name, text) {
  const line = bubble({ name, text, from: me, time: Date.now() });
  const slow = setTimeout(() => {
    line.classList.add('waits');
    append(line);
  }, 300);
  try {
    await client.publish(CHANNEL, { name, text, from: me });
    line.remove();
  } catch (error) {
    line.classList.add('failed');
    line.querySelector('span').textContent = `${text}\nNot sent: ${error.message}`;
    append(line);
  } finally {
    clearTimeout(slow);
    line.classList.remove('waits');
  }
}

document.querySelector('form').onsubmit = (event) => {
  event.preventDefault();
  const [name, text] = [find('name').value.trim(), find('text').value.trim()];
  if (!name || !text) return;
  localStorage.setItem('gatepost-name', name);
  find('text').value = '';
  find('text').focus();
  say(name, text);
};

// ---- who is here

function count(connections) {
  const faces = [...members.keys()].slice(0, FACES).map((connection) => {
    const face = document.createElement('i');
    paint(face, connection);
    return face;
  });
  find('faces').replaceChildren(...faces);
  find('count').textContent = connections ? `${connections} here` : '';
}

room.on('presence', ({ joined = [], left = [], connections }) => {
  for (const { connection } of left) members.delete(connection);
  for (const { connection } of joined) members.set(connection);
  count(connections);
});

async function meet() {
  try {
    const there = await client.presence(CHANNEL, { limit: FACES });
    members.clear();
    for (const { connection } of there.members) members.set(connection);
    count(there.connections);
  } catch {} // the next presence event says it
}

// ---- the connection

const STATES = { connecting: 'connecting…', open: 'connected', waiting: 'not connected, trying again…', closed: 'closed' };

function status() {
  find('state').textContent = STATES[client.state];
  find('state').dataset.state = client.state;
}

room.on('subscribed', meet);
room.on('unsubscribed', ({ reason }) => note(`The channel is closed: ${reason}`));
room.ready.then(load, () => {});
client.on('open', status);
client.on('close', status);
find('name').value = recall(localStorage, 'gatepost-name', () => `Guest ${100 + Math.floor(Math.random() * 900)}`);
find('address').textContent = `${location.origin.replace('http', 'ws')}/${document.documentElement.dataset.stage}`;
