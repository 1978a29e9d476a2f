// Rules for every pod, whoever's program runs in it.
import { containersOf, quantity } from './world.mjs';

const restricted = {
  name: 'restricted',
  why: 'Namespaces that enforce Pod Security "restricted" refuse other pods; and a read-only root keeps an attacker from writing programs.',
  find: (world) =>
    world.pods.flatMap((pod) => {
      const context = pod.spec.securityContext ?? {};
      const found = [];
      if (context.runAsNonRoot !== true) found.push(`${pod.name}: runAsNonRoot is not true`);
      if (!(context.runAsUser > 0)) found.push(`${pod.name}: runAsUser is not a number above 0`);
      if (context.seccompProfile?.type !== 'RuntimeDefault') found.push(`${pod.name}: seccompProfile is not RuntimeDefault`);
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) {
        if (pod.spec[key]) found.push(`${pod.name}: ${key} is set`);
      }
      if (pod.spec.volumes?.some((volume) => volume.hostPath)) found.push(`${pod.name}: a hostPath volume`);
      for (const c of containersOf(pod)) {
        const own = c.securityContext ?? {};
        if (own.privileged) found.push(`${pod.name}, ${c.name}: privileged`);
        if (own.allowPrivilegeEscalation !== false) found.push(`${pod.name}, ${c.name}: allowPrivilegeEscalation is not false`);
        if (own.readOnlyRootFilesystem !== true) found.push(`${pod.name}, ${c.name}: readOnlyRootFilesystem is not true`);
        if (!own.capabilities?.drop?.includes('ALL')) found.push(`${pod.name}, ${c.name}: capabilities.drop lacks ALL`);
        if (own.capabilities?.add?.length) found.push(`${pod.name}, ${c.name}: capabilities.add is not empty`);
        if (own.runAsNonRoot === false || own.runAsUser === 0) found.push(`${pod.name}, ${c.name}: runs as root`);
        if (c.ports?.some((port) => port.hostPort)) found.push(`${pod.name}, ${c.name}: hostPort is set`);
      }
      return found;
    }),
};

const token = {
  name: 'token',
  why: 'Nothing here calls the Kubernetes API, so no pod gets a token for it.',
  find: (world) => [
    ...world.pods
      .filter((pod) => pod.spec.automountServiceAccountToken !== false)
      .map((pod) => `${pod.name}: automountServiceAccountToken is not false`),
    ...world
      .of('ServiceAccount')
      .filter((account) => account.automountServiceAccountToken !== false)
      .map((account) => `ServiceAccount ${account.metadata.name}: automountServiceAccountToken is not false`),
  ],
};

const serviceLinks = {
  name: 'service-links',
  why: 'A Service named gatepost would set GATEPOST_PORT and more in every pod: names that settings might get.',
  find: (world) =>
    world.pods
      .filter((pod) => pod.owner.kind !== 'TestRun' && pod.spec.enableServiceLinks !== false)
      .map((pod) => `${pod.name}: enableServiceLinks is not false`),
};

const image = {
  name: 'image',
  why: 'A tag that moves gives pods of one Deployment different programs, and a rollback changes nothing.',
  find: (world) =>
    world.pods.flatMap((pod) =>
      containersOf(pod)
        .filter((c) => c.image !== undefined || pod.owner.kind !== 'TestRun') // the operator has an image of its own
        .flatMap((c) => {
          const [, name, tag] = /^(.+?)(?::([\w.-]+))?(?:@sha256:[0-9a-f]{64})?$/.exec(c.image ?? '') ?? [];
          if (!name?.includes('/')) return [`${pod.name}, ${c.name}: the image ${c.image} has no registry`];
          if (!tag && !c.image.includes('@')) return [`${pod.name}, ${c.name}: the image ${c.image} has no tag`];
          if (tag === 'latest') return [`${pod.name}, ${c.name}: the image ${c.image} is "latest"`];
          if (name === 'ghcr.io/gatepost/gatepost' && tag !== world.programs.version) {
            return [`${pod.name}, ${c.name}: the image ${c.image} is not this version, ${world.programs.version}`];
          }
          return [];
        }),
    ),
};

const resources = {
  name: 'resources',
  why: 'Memory: the request is the limit, so that a full node evicts others first. No limit of CPU: throttling delays all clients of a process at once.',
  find: (world) =>
    world.pods
      .filter((pod) => pod.owner.kind !== 'TestRun' || pod.spec.containers[0].resources)
      .flatMap((pod) =>
        containersOf(pod).flatMap((c) => {
          const { requests = {}, limits = {} } = c.resources ?? {};
          const found = [];
          if (!requests.cpu) found.push(`${pod.name}, ${c.name}: requests no CPU`);
          if (limits.cpu) found.push(`${pod.name}, ${c.name}: has a limit of CPU`);
          if (!limits.memory) found.push(`${pod.name}, ${c.name}: has no limit of memory`);
          else if (quantity(requests.memory ?? 0) !== quantity(limits.memory)) {
            found.push(`${pod.name}, ${c.name}: its request of memory is not its limit`);
          }
          return found;
        }),
      ),
};

const references = {
  name: 'references',
  why: 'A pod whose ConfigMap, Secret, key or ServiceAccount does not exist never starts.',
  find: (world) => world.pods.flatMap((pod) => missingReferences(world, pod)),
};

function missingReferences(world, pod) {
  const found = [];
  const need = (kind, name, key) => {
    const object = world.find(kind, name);
    if (!object) {
      if (!world.target.outside.includes(`${kind}/${name}`)) found.push(`${pod.name}: there is no ${kind} ${name}`);
    } else if (key && !(key in { ...object.data, ...object.stringData, ...object.binaryData })) {
      found.push(`${pod.name}: ${kind} ${name} has no key ${key}`);
    }
  };
  for (const c of containersOf(pod)) {
    for (const { configMapRef, secretRef } of c.envFrom ?? []) {
      if (configMapRef && !configMapRef.optional) need('ConfigMap', configMapRef.name);
      if (secretRef && !secretRef.optional) need('Secret', secretRef.name);
    }
    for (const { valueFrom = {} } of c.env ?? []) {
      const { configMapKeyRef, secretKeyRef } = valueFrom;
      if (configMapKeyRef) need('ConfigMap', configMapKeyRef.name, configMapKeyRef.key);
      if (secretKeyRef) need('Secret', secretKeyRef.name, secretKeyRef.key);
    }
    for (const { name } of c.volumeMounts ?? []) {
      if (!pod.spec.volumes?.some((volume) => volume.name === name)) found.push(`${pod.name}, ${c.name}: there is no volume ${name}`);
    }
  }
  for (const { configMap, secret } of pod.spec.volumes ?? []) {
    if (configMap && !configMap.optional) need('ConfigMap', configMap.name);
    if (secret && !secret.optional) need('Secret', secret.secretName);
  }
  if (pod.spec.serviceAccountName) need('ServiceAccount', pod.spec.serviceAccountName);
  const script = pod.owner.kind === 'TestRun' && pod.owner.spec.script.configMap;
  if (script) need('ConfigMap', script.name, script.file);
  return found;
}

export default [restricted, token, serviceLinks, image, resources, references];
