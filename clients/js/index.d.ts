/** Where a channel with history is: compare both, an offset alone says nothing. */
export interface Position {
  epoch: string;
  offset: number;
}

/** code: one of the server's (docs/channels.md), or closed, connection_lost, timeout, token, offline_queue_full. */
export class ChannelError extends Error {
  readonly code: string;
  /** Another try may succeed. */
  readonly retryable: boolean;
  readonly channel?: string;
  /** Of a publish: with the same key another try is not doubled. */
  readonly key?: string;
}

export interface Message<T = any> {
  type: 'message';
  channel: string;
  /** With epoch, in channels with history. */
  offset?: number;
  epoch?: string;
  /** Milliseconds since 1970. */
  time: number;
  data: T;
  /** Instead of data: bytes in base64. */
  data64?: string;
  tags?: Record<string, string>;
  /** The user who published it. */
  user?: string;
}

export interface Member {
  connection: string;
  user?: string;
  info?: unknown;
}

export interface PresenceEvent {
  type: 'presence';
  channel: string;
  /** Absent in channels of over 1,000 members, as left is. */
  joined?: Member[];
  left?: Member[];
  connections: number;
  users: number;
}

/** What was published between the last message and this position does not come: load your state again. */
export interface ResetEvent extends Position {
  type: 'reset';
  channel: string;
  recovered: false;
  reason: 'trimmed' | 'epoch' | 'slow' | 'lost';
}

export interface UnsubscribedEvent {
  type: 'unsubscribed';
  channel: string;
  /** server, expired, or the code of the error that refused it. */
  reason: string;
  error?: ChannelError;
}

export interface SubscribeAck extends Partial<Position> {
  /** Whether all that was missed follows; only if there was a position to begin from. */
  recovered?: boolean;
}

export interface PublishAck extends Partial<Position> {
  /** A publish with this key was there before. */
  duplicate?: boolean;
  /** An equal or newer version was there before. */
  suppressed?: boolean;
  edges?: number;
  connections?: number;
}

export interface HistoryAck extends Position {
  messages: Message[];
  /** For since (reverse: until) of the next page; absent at the end. */
  next?: Position;
}

export interface PresenceAck {
  connections: number;
  users: number;
  members: Member[];
  /** For cursor of the next page; absent at the end. */
  next?: string;
}

export interface CloseEvent {
  code: number;
  reason: string;
  /** Of a refused handshake, where the WebSocket shows it (npm's ws). */
  status?: number;
  /** It stays closed until connect() is called. */
  final: boolean;
  /** Milliseconds until the next try; undefined if final. */
  delay?: number;
}

type Test =
  | { eq: string } | { ne: string } | { in: string[] } | { nin: string[] } | { exists: boolean }
  | { starts: string } | { ends: string } | { contains: string }
  | { gt: number } | { gte: number } | { lt: number } | { lte: number }; // prettier-ignore

/** Over the tags of messages; checked by the server. */
export type Filter = { and: Filter[] } | { or: Filter[] } | { not: Filter } | ({ tag: string } & Test);

export interface SubscribeOptions {
  /** A position that was kept: what came after it is sent first. */
  since?: Position;
  filter?: Filter;
  /** stream: all that was missed, or a reset. cache: only the latest message. Default: the namespace's. */
  recover?: 'stream' | 'cache';
  /** Receive the event presence. */
  presence?: boolean;
  /** Let the server put several messages into one frame. */
  batch?: boolean;
  /** For namespaces with `subscribe: token`. */
  token?: string;
  /** Fetches one, and another one when it has expired. */
  getToken?(channel: string): Promise<string>;
}

export interface PublishOptions {
  /** Default: a random one. null: none; then a publish is not sent again when the connection was cut. */
  key?: string | null;
  tags?: Record<string, string>;
  version?: number | string;
  /** The ack says how many edges and connections were reached. */
  receipt?: boolean;
  /** For namespaces with `publish: token`. */
  token?: string;
}

export interface Options {
  /** Needed where there is no global WebSocket, as in Node 18: that of npm's ws. */
  WebSocket?: unknown;
  /** The token of the connection; another one is fetched after a refusal, and after close code 4401. */
  getToken?(): Promise<string>;
  /** Query parameter for the token; default: none, the token is sent as the subprotocol "bearer". */
  tokenQuery?: string;
  /** The field that chooses the route; default "action". */
  routeKey?: string;
  /** How many operations may wait for a connection; default 100. */
  queue?: number;
  /** Milliseconds for an answer, and for opening the socket; default 10000. */
  timeout?: number;
  /** Milliseconds of silence after which the server is asked for a sign of life; default 25000, 0: never. */
  ping?: number;
  /** Milliseconds: a try to connect again waits for a random part of minDelay * 2^n, at most maxDelay. 500 and 30000. */
  minDelay?: number;
  maxDelay?: number;
  /** Close codes after which it stays closed; default [1000, 4403]. */
  final?: number[];
}

interface Events {
  message: Message;
  presence: PresenceEvent;
  reset: ResetEvent;
  subscribed: SubscribeAck;
  unsubscribed: UnsubscribedEvent;
  /** A failure that belongs to no promise; it is tried again. */
  error: ChannelError;
}

interface ClientEvents extends Events {
  open: undefined;
  close: CloseEvent;
  /** A frame that is not of channels: of another function, or of a raw channel. */
  frame: string | ArrayBuffer | Blob;
}

/** Its channel is subscribed again after each reconnect, from its position. */
export class Subscription {
  private constructor();
  readonly channel: string;
  /** Of what was delivered last; undefined without history. */
  readonly position?: Position;
  /** The first ack; rejects when the subscription is refused. */
  readonly ready: Promise<SubscribeAck>;
  /** Returns a function that removes the listener. */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): () => void;
  unsubscribe(): Promise<void>;
}

/** One connection, which is opened again whenever it closes. What is asked meanwhile waits. */
export class Client {
  /** url: ws:, wss:, http: or https:; in a browser it may be relative to the page. */
  constructor(url: string | URL, options?: Options);
  readonly state: 'connecting' | 'open' | 'waiting' | 'closed';
  /** Subscriptions emit their events here, too. Returns a function that removes the listener. */
  on<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void): () => void;
  /** The one subscription of this channel; a second call replaces its options. */
  subscribe(channel: string, options?: SubscribeOptions): Subscription;
  publish(channel: string, data: unknown, options?: PublishOptions): Promise<PublishAck>;
  history(
    channel: string,
    options?: { limit?: number; since?: Position; until?: Position; reverse?: boolean },
  ): Promise<HistoryAck>;
  presence(channel: string, options?: { limit?: number; cursor?: string }): Promise<PresenceAck>;
  ping(): Promise<{ time: number }>;
  /** Close for good. What waits is rejected; subscriptions stay, for a later connect(). */
  close(code?: number, reason?: string): void;
  connect(): void;
}
