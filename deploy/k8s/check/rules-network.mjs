// Rules for NetworkPolicies: what Gatepost needs is allowed, and nothing else is open.
import { matches } from './world.mjs';

const ours = { matchLabels: { 'app.kubernetes.io/part-of': 'gatepost' } };

// Whether policies allow `pod` to have a connection in a direction. peer: the labels of the other pod, or of its
// namespace, or null for anybody.
function isAllowed(world, direction, pod, peer, port) {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress';
  const policies = world.of('NetworkPolicy').filter((p) => matches(p.spec.podSelector, pod.labels) && p.spec.policyTypes.includes(type));
  if (policies.length === 0) return true;
  return policies.some((policy) => (policy.spec[direction] ?? []).some((rule) => hasPort(rule, port) && hasPeer(rule, direction, peer)));
}

function hasPort(rule, port) {
  return !rule.ports || rule.ports.some((p) => (p.protocol ?? 'TCP') === port.protocol && (p.port === port.number || (port.name && p.port === port.name)));
}

function hasPeer(rule, direction, peer) {
  const peers = rule[direction === 'ingress' ? 'from' : 'to'];
  if (!peers) return true;
  if (peer === null) return false;
  return peers.some(({ podSelector, namespaceSelector }) => {
    if (peer.namespace) return namespaceSelector && !podSelector && matches(namespaceSelector, peer.namespace);
    return podSelector && !namespaceSelector && matches(podSelector, peer.labels);
  });
}

function byComponent(world, name) {
  return world.pods.filter((pod) => matches(ours, pod.labels) && pod.labels['app.kubernetes.io/component'] === name);
}

function portOf(pod, name) {
  const port = pod.spec.containers.flatMap((c) => c.ports ?? []).find((p) => p.name === name);
  return port && { name, number: port.containerPort, protocol: port.protocol ?? 'TCP' };
}

// Which pods connect to which: [from, to, port]
const FLOWS = [
  ['edge', 'broker', 'link'],
  ['broker', 'redis', 'redis'],
  ['broker', 'function', 'http'],
  ['function', 'broker', 'management'],
];
const PROMETHEUS = { namespace: { 'gatepost.io/monitoring': 'true' } };
const BACK_END = { namespace: { 'gatepost.io/management': 'true' } };

const network = {
  name: 'network',
  why: 'With a default of "deny", each connection that Gatepost needs must be allowed at both of its ends.',
  find: (world) => {
    if (world.of('NetworkPolicy').length === 0) return [];
    const found = [];
    const need = (what, direction, pod, peer, port) => {
      if (!isAllowed(world, direction, pod, peer, port)) found.push(`${pod.name}: no NetworkPolicy allows ${what}`);
    };
    for (const [from, to, name] of FLOWS) {
      for (const a of byComponent(world, from)) {
        for (const b of byComponent(world, to)) {
          const port = portOf(b, name);
          need(`${from} → ${to}:${port.number}`, 'egress', a, b, { ...port, name: undefined });
          need(`${to}:${port.number} from ${from}`, 'ingress', b, a, port);
        }
      }
    }
    for (const pod of byComponent(world, 'edge')) need('clients', 'ingress', pod, null, portOf(pod, 'http'));
    for (const pod of byComponent(world, 'broker')) need('the back end', 'ingress', pod, BACK_END, portOf(pod, 'management'));
    for (const pod of ['edge', 'broker'].flatMap((name) => byComponent(world, name))) {
      need('Prometheus', 'ingress', pod, PROMETHEUS, portOf(pod, 'metrics'));
      for (const protocol of ['UDP', 'TCP']) need(`DNS over ${protocol}`, 'egress', pod, null, { number: 53, protocol });
    }
    return found;
  },
};

const closed = {
  name: 'closed',
  why: 'The link, Redis, metrics and the management API have no business with strangers: only the edges\' port for clients is open to all.',
  find: (world) => {
    if (world.of('NetworkPolicy').length === 0) return [];
    const found = [];
    for (const pod of world.pods.filter((p) => matches(ours, p.labels))) {
      const isEdge = pod.labels['app.kubernetes.io/component'] === 'edge';
      const stranger = { labels: { app: 'stranger' } };
      for (const port of pod.spec.containers.flatMap((c) => c.ports ?? [])) {
        if (isEdge && port.name === 'http') continue;
        const at = { name: port.name, number: port.containerPort, protocol: port.protocol ?? 'TCP' };
        if (isAllowed(world, 'ingress', pod, stranger, at)) found.push(`${pod.name}: anybody reaches its port ${port.name}`);
      }
      if (isAllowed(world, 'egress', pod, stranger, { number: 443, protocol: 'TCP' })) found.push(`${pod.name}: it may connect to anybody`);
    }
    return found;
  },
};

export default [network, closed];
