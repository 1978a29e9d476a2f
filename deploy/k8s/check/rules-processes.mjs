// Rules for edges and brokers: what their settings, ports and probes must be.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mebibytes, quantity } from './world.mjs';

const CONNECTION = 8 * 1024; // bytes: 1 KiB in the edge, the rest for its socket in the kernel
const FULL = 0.9; // of its memory: then an edge is not ready
const PROGRAM = 32 * 2 ** 20;
const PUBLICATIONS = 64 * 2 ** 20; // in progress in a broker, at most
const MARGIN = 10; // seconds from the end of the drain to SIGKILL

function processes(world) {
  return [...world.processes('edge'), ...world.processes('broker')];
}

const settings = {
  name: 'settings',
  why: 'Programs ignore unknown GATEPOST_ variables, so a misspelled one would have no effect and no message; and a value that is not allowed ends them.',
  find: (world) =>
    processes(world).flatMap((process) => {
      const found = [...process.env.keys()]
        .filter((name) => name.startsWith('GATEPOST_'))
        .map((name) => [name, name.slice(9).toLowerCase().replaceAll('_', '-')])
        .filter(([, flag]) => !world.programs[process.program].has(flag))
        .map(([name]) => `${process.pod.name}: ${name} is not a setting of gatepost-${process.program}`);
      const refusal = world.programs.refusal(process.program, process.env);
      return refusal ? [...found, `${process.pod.name}: ${refusal}`] : found;
    }),
};

const grace = {
  name: 'grace',
  why: 'After the grace period the kubelet kills the process: clients that are not closed yet are cut, and their disconnects come late.',
  find: (world) =>
    processes(world).flatMap((process) => {
      const { pod, program } = process;
      const period = pod.spec.terminationGracePeriodSeconds ?? 30;
      const parts = program === 'edge' ? ['drain-delay', 'drain-timeout', 'close-timeout'] : ['drain-timeout'];
      const needed = parts.reduce((sum, name) => sum + world.milliseconds(process, name), 0) / 1000 + MARGIN;
      const found = [];
      if (period < needed) {
        found.push(`${pod.name}: terminationGracePeriodSeconds is ${period}; ${parts.join(' + ')} + ${MARGIN} s are ${needed}`);
      }
      const told = process.env.get('GATEPOST_GRACE');
      if (told !== `${period}s`) {
        found.push(`${pod.name}: GATEPOST_GRACE is ${told}, and terminationGracePeriodSeconds ${period}`);
      }
      if (process.container.lifecycle?.preStop) {
        found.push(`${pod.name}: a preStop hook takes time from the grace period; the process drains by itself`);
      }
      return found;
    }),
};

const memory = {
  name: 'memory',
  why: 'A process that uses what its settings allow must fit into its container, or it is killed with all its connections.',
  find: (world) =>
    processes(world).flatMap((process) => {
      const needed = process.program === 'edge' ? edgeMemory(world, process) : brokerMemory(world, process);
      const limit = quantity(process.container.resources?.limits?.memory ?? '0');
      return limit >= needed ? [] : [`${process.pod.name}: its limit is ${mebibytes(limit)}; its settings allow ${mebibytes(needed)}`];
    }),
};

function edgeMemory(world, edge) {
  const connections = Number(world.setting(edge, 'max-connections'));
  return (connections * CONNECTION + world.bytes(edge, 'held-memory') + world.bytes(edge, 'outbox-memory') + PROGRAM) / FULL;
}

function brokerMemory(world, broker) {
  const edges = world.processes('edge').reduce((sum, edge) => sum + world.replicas(edge.pod).most, 0);
  return (
    edges * world.bytes(broker, 'credit-bytes') +
    world.bytes(broker, 'http-memory') +
    world.bytes(broker, 'management-memory') +
    PUBLICATIONS +
    PROGRAM
  );
}

const ports = {
  name: 'ports',
  why: 'Services, probes and Prometheus go to named ports of the container: they must be those that the process listens on, for all addresses.',
  find: (world) =>
    processes(world).flatMap((process) => {
      const listens = process.program === 'edge' ? { http: 'listen', metrics: 'metrics' } : { link: 'bind', management: 'management', metrics: 'metrics' };
      const named = new Map((process.container.ports ?? []).map((port) => [port.name, port.containerPort]));
      const found = [];
      for (const [name, setting] of Object.entries(listens)) {
        const address = world.setting(process, setting);
        const [, host, port] = /^(?:tcp:\/\/)?(.*):(\d+)$/.exec(address) ?? [];
        if (named.get(name) !== Number(port)) found.push(`${process.pod.name}: the port ${name} is ${named.get(name)}, and --${setting} is ${address}`);
        if (host !== '0.0.0.0' && host !== '[::]') found.push(`${process.pod.name}: --${setting} is ${address}, which others cannot reach`);
        named.delete(name);
      }
      for (const name of named.keys()) found.push(`${process.pod.name}: nothing listens on the port ${name}`);
      const notes = process.pod.owner.spec.template.metadata.annotations ?? {};
      const scraped = world.setting(process, 'metrics').split(':').pop();
      if (notes['prometheus.io/port'] !== scraped) found.push(`${process.pod.name}: prometheus.io/port is not ${scraped}`);
      return found;
    }),
};

const probes = {
  name: 'probes',
  why: '/livez is 200 while the event loop runs. A liveness probe of /readyz would restart edges, and close their clients, when Redis is down.',
  find: (world) =>
    processes(world).flatMap(({ pod, container }) => {
      const wanted = { startupProbe: '/livez', livenessProbe: '/livez', readinessProbe: '/readyz' };
      return Object.entries(wanted)
        .filter(([probe, file]) => container[probe]?.httpGet?.path !== file || container[probe].httpGet.port !== 'metrics')
        .map(([probe, file]) => `${pod.name}: its ${probe} is not GET ${file} of the port metrics`);
    }),
};

const name = {
  name: 'name',
  why: 'Names of edges and brokers are unique in a cluster, and a broker advertises an address that every edge reaches.',
  find: (world) =>
    processes(world).flatMap(({ pod, program, container }) => {
      const field = (key) => container.env?.find((e) => e.name === key)?.valueFrom?.fieldRef?.fieldPath;
      const found = [];
      if (field('GATEPOST_NAME') !== 'metadata.name') found.push(`${pod.name}: GATEPOST_NAME is not the pod's name`);
      if (program === 'broker') {
        const value = container.env?.find((e) => e.name === 'GATEPOST_ADVERTISE')?.value;
        if (field('POD_IP') !== 'status.podIP' || value !== 'tcp://$(POD_IP):7400') found.push(`${pod.name}: GATEPOST_ADVERTISE is not the pod's address`);
      }
      return found;
    }),
};

const discovery = {
  name: 'discovery',
  why: 'Edges need the addresses of all brokers: a headless Service has them, also of brokers that are not ready yet; another has one address for all.',
  find: (world) =>
    world.processes('edge').flatMap((edge) => {
      const brokers = world.setting(edge, 'brokers');
      const [, host, port] = /^tcp:\/\/([\w-]+):(\d+)$/.exec(brokers) ?? [];
      const service = host && world.find('Service', host);
      if (!service) return [`${edge.pod.name}: --brokers is ${brokers}, which is no Service here`];
      const found = [];
      if (service.spec.clusterIP !== 'None') found.push(`Service ${host}: edges resolve it, and it is not headless`);
      if (service.spec.publishNotReadyAddresses !== true) found.push(`Service ${host}: publishNotReadyAddresses is not true`);
      if (!service.spec.ports.some((p) => p.port === Number(port))) found.push(`Service ${host}: it has no port ${port}`);
      return found;
    }),
};

const management = {
  name: 'management',
  why: 'Who may use the management API may do everything. Its keys are a file that only the broker reads, and that is read again when the Secret changes.',
  find: (world) =>
    world.processes('broker').flatMap((broker) => {
      const found = [];
      const auth = world.setting(broker, 'management-auth');
      if (auth === 'none') found.push(`${broker.pod.name}: --management-auth is none`);
      const file = world.setting(broker, 'credentials');
      const mount = broker.container.volumeMounts?.find((m) => file?.startsWith(`${m.mountPath}/`));
      const volume = broker.pod.spec.volumes?.find((v) => v.name === mount?.name);
      if (!volume?.secret) return [...found, `${broker.pod.name}: --credentials ${file} is in no mounted Secret`];
      if (volume.secret.defaultMode !== 0o440) found.push(`${broker.pod.name}: the mode of its credentials is not 0440, and the broker refuses them`);
      if (broker.pod.spec.securityContext?.fsGroup === undefined) found.push(`${broker.pod.name}: without fsGroup it cannot read its credentials`);
      if (mount.subPath) found.push(`${broker.pod.name}: credentials under a subPath never change`);
      return found;
    }),
};

const config = {
  name: 'config',
  why: 'A broker refuses a configuration with a mistake. Its ConfigMap keeps its name and is mounted as a folder, so that a change is read without a restart.',
  find: (world) =>
    world.processes('broker').flatMap((broker) => {
      const file = broker.env.get('GATEPOST_CONFIG');
      if (file === undefined) return [];
      const mount = broker.container.volumeMounts?.find((m) => file.startsWith(`${m.mountPath}/`));
      const volume = broker.pod.spec.volumes?.find((v) => v.name === mount?.name);
      const map = volume?.configMap && world.find('ConfigMap', volume.configMap.name);
      if (!map) return [`${broker.pod.name}: --config ${file} is in no mounted ConfigMap`];
      const found = [];
      if (mount.subPath) found.push(`${broker.pod.name}: a configuration under a subPath never changes`);
      if (/-[bcdfghkmt2456789]{10}$/.test(map.metadata.name)) found.push(`ConfigMap ${map.metadata.name}: its name has a digest, so a change restarts brokers`);
      return [...found, ...refusals(world, map, path.relative(mount.mountPath, file))];
    }),
};

function refusals(world, map, file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatepost-config-'));
  try {
    for (const [key, text] of Object.entries(map.data ?? {})) fs.writeFileSync(path.join(folder, key), text);
    execFileSync(path.join(world.programs.bin, 'gatepost'), ['check', path.join(folder, file)], { stdio: 'pipe' });
    return [];
  } catch (error) {
    return [`ConfigMap ${map.metadata.name}: ${String(error.stderr).trim().replaceAll(folder + '/', '').replaceAll('\n', '; ')}`];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

export default [settings, grace, memory, ports, probes, name, discovery, management, config];
