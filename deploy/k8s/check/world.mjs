// What the rules ask about the objects of one render.
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';

// The facts of the programs: which settings they have, and what they serve at /metrics.
export function loadPrograms(root, bin) {
  const known = new Map();
  // What a program says of its settings, or nothing. It reads all of them first; then the address that it cannot
  // listen on ends it.
  const refusal = (program, env) => {
    const settings = Object.fromEntries([...env].filter(([name, value]) => name.startsWith('GATEPOST_') && value !== undefined));
    const key = JSON.stringify([program, settings]);
    if (!known.has(key)) {
      const args = [program === 'edge' ? '--listen' : '--bind', 'nowhere', '--metrics', '127.0.0.1:0'];
      const { stderr } = spawnSync(path.join(bin, `gatepost-${program}`), args, { env: settings, encoding: 'utf8', timeout: 60000 });
      known.set(key, new RegExp(`^gatepost-${program}: (.*)`).exec(stderr)?.[1]);
    }
    return known.get(key);
  };
  const settings = (program) => {
    const help = execFileSync(path.join(bin, program), ['--help'], { encoding: 'utf8' });
    const rows = help.split(/^  --/m).slice(1);
    return new Map(rows.map((row) => [row.match(/^[a-z-]+/)[0], row.match(/^ +default: ([^;\n]*)/m)?.[1] ?? '']));
  };
  // tests/integration/test_docs.py proves that the table of docs/operations.md is exactly what is served.
  const table = fs.readFileSync(path.join(root, 'docs/operations.md'), 'utf8').matchAll(/^\| ((?:`gatepost_\w+`(?:, )?)+) \| (\w+) \|/gm);
  const metrics = new Map();
  for (const [, names, kind] of table) {
    for (const [, name] of names.matchAll(/`(\w+)`/g)) metrics.set(name, kind);
  }
  const source = fs.readFileSync(path.join(root, 'lib/base/metric.c'), 'utf8');
  for (const [, name] of source.matchAll(/"(process_[a-z_]+)"/g)) metrics.set(name, 'gauge');
  if (metrics.size < 50) throw new Error('the table of metrics of docs/operations.md was not found');
  return {
    bin,
    refusal,
    edge: settings('gatepost-edge'),
    broker: settings('gatepost-broker'),
    metrics,
    version: fs.readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8').match(/project\(gatepost VERSION ([\d.]+)/)[1],
  };
}

const TEMPLATES = { Deployment: 1, StatefulSet: 1, DaemonSet: 1, Job: 1 };

export class World {
  constructor(target, objects, programs, root) {
    this.target = target;
    this.objects = objects;
    this.programs = programs;
    this.root = root;
    this.pods = objects.flatMap((o) => podsOf(o));
  }

  of(...kinds) {
    return this.objects.filter((o) => kinds.includes(o.kind));
  }

  find(kind, name) {
    return this.objects.find((o) => o.kind === kind && o.metadata.name === name);
  }

  // The containers that run `program` (edge or broker): {pod, container, env}
  processes(program) {
    return this.pods.flatMap((pod) =>
      pod.spec.containers
        .filter((c) => c.command?.[0] === `/usr/bin/gatepost-${program}`)
        .map((container) => ({ program, pod, container, env: this.environment(container) })),
    );
  }

  // Its variables, as the kubelet sets them: those of envFrom first. A reference to something else is undefined.
  environment(container) {
    const env = new Map();
    for (const { configMapRef } of container.envFrom ?? []) {
      const data = configMapRef && this.find('ConfigMap', configMapRef.name)?.data;
      for (const [key, value] of Object.entries(data ?? {})) env.set(key, value);
    }
    for (const { name, value } of container.env ?? []) env.set(name, value);
    return env;
  }

  // The value of a setting: that of the environment, else the program's default.
  setting(process, name) {
    const variable = `GATEPOST_${name.toUpperCase().replaceAll('-', '_')}`;
    const value = process.env.get(variable);
    return value ?? this.programs[process.program].get(name);
  }

  milliseconds(process, name) {
    const match = /^(\d+)(ms|s|m|h)?$/.exec(this.setting(process, name) ?? '');
    if (!match) throw new Error(`--${name} of ${process.pod.name} is not a time: ${this.setting(process, name)}`);
    return Number(match[1]) * { ms: 1, s: 1000, m: 60000, h: 3600000 }[match[2] ?? 'ms'];
  }

  bytes(process, name) {
    return quantity(this.setting(process, name).replace(/B$/, ''));
  }

  // The number of pods that a workload may have at most and at least.
  replicas(pod) {
    const scaler = this.scalerOf(pod.owner);
    if (!scaler) return { least: pod.owner.spec.replicas ?? 1, most: pod.owner.spec.replicas ?? 1 };
    const spec = scaler.spec;
    return { least: spec.minReplicas ?? spec.minReplicaCount ?? 0, most: spec.maxReplicas ?? spec.maxReplicaCount };
  }

  scalerOf(owner) {
    return this.of('HorizontalPodAutoscaler', 'ScaledObject').find(
      ({ spec }) => spec.scaleTargetRef.kind === owner.kind && spec.scaleTargetRef.name === owner.metadata.name,
    );
  }
}

// Kubernetes' and Gatepost's sizes: 640Mi, 16Mi, 1G
export function quantity(text) {
  const [, number, unit] = /^(\d+)([KMG]i?)?$/.exec(String(text)) ?? [];
  if (!number) throw new Error(`${text} is not a size`);
  const scale = { K: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
  return Number(number) * (unit ? scale[unit] : 1);
}

export function mebibytes(bytes) {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

// The pods that an object makes: {name, owner, labels, spec}
function podsOf(object) {
  if (TEMPLATES[object.kind]) {
    const { metadata = {}, spec } = object.spec.template;
    return [{ name: `${object.kind} ${object.metadata.name}`, owner: object, labels: metadata.labels ?? {}, spec }];
  }
  if (object.kind === 'Pod') {
    return [{ name: `Pod ${object.metadata.name}`, owner: object, labels: object.metadata.labels ?? {}, spec: object.spec }];
  }
  if (object.kind === 'TestRun') {
    // k6-operator makes pods of these, with text instead of booleans, and without service links only if the pod is ours
    return ['initializer', 'starter', 'runner'].map((name) => {
      const pod = object.spec[name] ?? {};
      const container = { name, image: pod.image, env: pod.env, resources: pod.resources, securityContext: pod.containerSecurityContext };
      const spec = {
        securityContext: pod.securityContext,
        automountServiceAccountToken: { true: true, false: false }[pod.automountServiceAccountToken],
        containers: [container],
      };
      return { name: `TestRun ${object.metadata.name}, ${name}`, owner: object, labels: pod.metadata?.labels ?? {}, spec };
    });
  }
  return [];
}

export function containersOf(pod) {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
}

export function matches(selector, labels) {
  const exact = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return exact && (selector?.matchExpressions ?? []).every(({ key, operator, values }) => {
    if (operator === 'In') return values.includes(labels[key]);
    if (operator === 'NotIn') return !values.includes(labels[key]);
    return (key in labels) === (operator === 'Exists');
  });
}
