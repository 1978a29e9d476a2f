import { Client } from './client/index.js';

const ROOM = 'room:main';
const BOARD = 'board:main';
const FRAME_MS = 50; // between two positions of our pointer

const find = (id) => document.getElementById(id);
const color = (name) => `hsl(${[...name].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7)} 55% 42%)`;
const make = (tag, text, className = '') => Object.assign(document.createElement(tag), { textContent: text, className });

function colored(element, name) {
  element.style.setProperty('--color', color(name));
  return element;
}

find('join').onsubmit = (event) => {
  event.preventDefault();
  find('join').hidden = true;
  document.querySelector('main').hidden = false;
  start(find('name').value.trim());
};

function start(name) {
  // The stage is the path's first part: /dev/live.
  const client = new Client(`/${location.pathname.split('/')[1]}?name=${encodeURIComponent(name)}`);

  client.on('open', () => (find('state').textContent = 'connected'));
  client.on('close', ({ final }) => (find('state').textContent = final ? 'closed' : 'not connected, trying again'));
  chat(client);
  board(client, name);
  find('text').focus();
}

// ---- the chat: a channel with history and presence

function chat(client) {
  const room = client.subscribe(ROOM, { presence: true });
  const people = new Map(); // connection: user
  const shown = new Set(); // offsets of this epoch
  let early = []; // messages that come before the history
  let epoch;

  const add = (line) => {
    find('talk').append(line);
    line.scrollIntoView({ block: 'end' });
  };
  const show = (message) => {
    if (message.epoch !== epoch) shown.clear();
    epoch = message.epoch;
    if (shown.has(message.offset)) return;
    shown.add(message.offset);
    const line = make('li', '');
    line.append(colored(make('b', message.user), message.user), String(message.data.text));
    add(line);
  };
  const load = async () => {
    early ??= [];
    const { messages } = await client.history(ROOM, { limit: 50, reverse: true });
    for (const message of [...messages.reverse(), ...early]) show(message);
    early = undefined;
  };
  const list = () => {
    const users = [...new Set(people.values())].sort();
    find('people').replaceChildren(...users.map((user) => colored(make('li', user), user)));
    for (const pointer of document.querySelectorAll('.pointer'))
      if (!users.includes(pointer.dataset.user)) pointer.remove();
  };
  const failed = (error) => add(make('li', error.message, 'note'));

  room.on('message', (message) => (early ? early.push(message) : show(message)));
  room.on('reset', () => load().catch(failed));
  room.ready.then(load).catch(failed);

  room.on('presence', ({ joined = [], left = [] }) => {
    for (const { connection } of left) people.delete(connection);
    for (const { connection, user } of joined) people.set(connection, user);
    list();
  });
  room.on('subscribed', async () => {
    const { members } = await client.presence(ROOM);
    people.clear();
    for (const { connection, user } of members) people.set(connection, user);
    list();
  });

  find('say').onsubmit = (event) => {
    event.preventDefault();
    client.publish(ROOM, { text: find('text').value }).catch(failed);
    find('text').value = '';
  };
}

// ---- the board: a channel without history. $connect has subscribed us to it

function board(client, name) {
  const area = find('board');
  const pointers = new Map(); // user: element
  let mine; // where our pointer is, if that is not published yet
  let timer;

  const put = (element, { x, y }) => {
    element.style.transform = `translate(${x * area.clientWidth}px, ${y * area.clientHeight}px)`;
  };
  const pointer = (user) => {
    if (!pointers.get(user)?.isConnected) {
      const element = colored(make('div', '', 'pointer'), user);
      element.dataset.user = user;
      element.append(make('span', user));
      area.append(element);
      pointers.set(user, element);
    }
    return pointers.get(user);
  };
  const mark = ({ x, y }, user) => {
    const element = colored(make('div', '', 'mark'), user);
    element.style.left = `${x * 100}%`;
    element.style.top = `${y * 100}%`;
    element.onanimationend = () => element.remove();
    area.append(element);
  };

  client.on('message', ({ channel, user, data }) => {
    if (channel !== BOARD) return;
    if (data.click) mark(data, user);
    else if (user !== name) put(pointer(user), data);
  });

  // Without a key: a position that did not arrive is soon outdated.
  const publish = (data) => client.publish(BOARD, data, { key: null }).catch(() => {});
  const at = (event) => {
    const { left, top, width, height } = area.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  };
  const next = () => {
    timer = undefined;
    if (!mine || client.state !== 'open') return;
    publish(mine);
    mine = undefined;
    timer = setTimeout(next, FRAME_MS);
  };
  area.onpointermove = (event) => {
    mine = at(event);
    if (!timer) next();
  };
  area.onpointerdown = (event) => publish({ ...at(event), click: true });
}
