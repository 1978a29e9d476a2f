// Rules for what stands around the pods: Services, scaling, rollouts, budgets.
import fs from 'node:fs';
import path from 'node:path';
import { matches } from './world.mjs';

const services = {
  name: 'services',
  why: 'A Service whose selector matches no pod, or whose port no pod has, answers nobody.',
  find: (world) =>
    world.of('Service').flatMap((service) => {
      const at = `Service ${service.metadata.name}`;
      const pods = world.pods.filter((pod) => matches({ matchLabels: service.spec.selector }, pod.labels));
      if (!service.spec.selector || pods.length === 0) return [`${at}: its selector matches no pod`];
      const owners = new Set(pods.map((pod) => pod.name));
      if (owners.size > 1) return [`${at}: its selector matches pods of ${[...owners].join(' and ')}`];
      return service.spec.ports.flatMap((port) => {
        const target = port.targetPort ?? port.port;
        const has = pods[0].spec.containers.some((c) => c.ports?.some((p) => p.name === target || p.containerPort === target));
        return [
          ...(has ? [] : [`${at}: ${pods[0].name} has no port ${target}`]),
          ...(port.appProtocol ? [] : [`${at}: the port ${port.name} has no appProtocol, and proxies guess`]),
        ];
      });
    }),
};

const selectors = {
  name: 'selectors',
  why: 'A Deployment whose selector does not match its own pods is refused; one that matches those of another fights for them.',
  find: (world) =>
    world.of('Deployment', 'StatefulSet').flatMap((owner) => {
      const matched = world.pods.filter((pod) => matches(owner.spec.selector, pod.labels));
      return matched.length === 1 && matched[0].owner === owner
        ? []
        : [`${owner.kind} ${owner.metadata.name}: its selector matches ${matched.map((pod) => pod.name).join(', ') || 'no pod'}`];
    }),
};

const replicas = {
  name: 'replicas',
  why: 'With a scaler, each apply of a manifest with replicas would set the number back, and close the clients of the pods that go.',
  find: (world) =>
    world
      .of('Deployment', 'StatefulSet')
      .filter((owner) => world.scalerOf(owner) && owner.spec.replicas !== undefined)
      .map((owner) => `${owner.kind} ${owner.metadata.name}: has replicas, and ${world.scalerOf(owner).kind} scales it`),
};

const scaling = {
  name: 'scaling',
  why: 'A scaler must find what it scales, keep two edges, and take one at a time: each edge less makes its clients reconnect.',
  find: (world) =>
    world.of('HorizontalPodAutoscaler', 'ScaledObject').flatMap((scaler) => {
      const at = `${scaler.kind} ${scaler.metadata.name}`;
      const { kind, name } = scaler.spec.scaleTargetRef;
      const pod = world.pods.find((p) => p.owner.kind === kind && p.owner.metadata.name === name);
      if (!pod) return [`${at}: there is no ${kind} ${name}`];
      const found = [];
      const { least, most } = world.replicas(pod);
      if (least < 2) found.push(`${at}: its minimum is ${least}`);
      if (!(most > least)) found.push(`${at}: its maximum is not above its minimum`);
      const behavior = (scaler.spec.behavior ?? scaler.spec.advanced?.horizontalPodAutoscalerConfig?.behavior)?.scaleDown;
      const grace = pod.spec.terminationGracePeriodSeconds;
      const paced = behavior?.policies?.every((p) => p.type === 'Pods' && p.value === 1 && p.periodSeconds >= grace);
      if (!paced) found.push(`${at}: it may remove more than one pod in its grace period of ${grace} s`);
      if (!(behavior?.stabilizationWindowSeconds >= 300)) found.push(`${at}: it scales down within five minutes`);
      if (scaler.kind === 'ScaledObject' && scaler.spec.fallback?.behavior !== 'currentReplicasIfHigher') {
        found.push(`${at}: without Prometheus it scales down (fallback.behavior)`);
      }
      const uses = (scaler.spec.metrics ?? []).some((m) => m.resource?.name === 'memory') || (scaler.spec.triggers ?? []).some((t) => t.type === 'memory');
      if (uses) found.push(`${at}: memory does not fall when clients leave, so it never scales down`);
      return found;
    }),
};

const rollout = {
  name: 'rollout',
  why: 'One pod after the other, and the next one when the clients of the last are connected again. A Deployment does not wait for pods that terminate.',
  find: (world) =>
    [...world.processes('edge'), ...world.processes('broker')].flatMap((process) => {
      const { spec } = process.pod.owner;
      const at = process.pod.name;
      const found = [];
      const { maxSurge, maxUnavailable } = spec.strategy?.rollingUpdate ?? {};
      if (maxSurge !== 1 || maxUnavailable !== 0) found.push(`${at}: maxSurge is not 1, or maxUnavailable not 0`);
      const ready = spec.minReadySeconds ?? 0;
      if (!((spec.progressDeadlineSeconds ?? 600) > ready + 60)) found.push(`${at}: progressDeadlineSeconds is not above minReadySeconds by a minute`);
      if (process.program === 'edge' && world.replicas(process.pod).most > 1) {
        const drain = (world.milliseconds(process, 'drain-delay') + world.milliseconds(process, 'drain-timeout')) / 1000;
        if (ready < drain) found.push(`${at}: minReadySeconds is ${ready}, less than a drain of ${drain} s, so several edges drain at a time`);
      }
      return found;
    }),
};

const budgets = {
  name: 'budgets',
  why: 'maxUnavailable 1 protects the others in a node\'s drain. minAvailable 1 with one replica blocks it for ever, and a pod that is not ready must not block it.',
  find: (world) => {
    const found = world.of('PodDisruptionBudget').flatMap((budget) => {
      const at = `PodDisruptionBudget ${budget.metadata.name}`;
      return [
        ...(budget.spec.maxUnavailable === 1 && budget.spec.minAvailable === undefined ? [] : [`${at}: it is not maxUnavailable: 1`]),
        ...(world.target.isOld || budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' ? [] : [`${at}: unhealthyPodEvictionPolicy is not AlwaysAllow`]),
        ...(world.pods.some((pod) => matches(budget.spec.selector, pod.labels)) ? [] : [`${at}: it matches no pod`]),
      ];
    });
    for (const pod of world.pods.filter((p) => p.owner.kind === 'Deployment' && world.replicas(p).most > 1)) {
      if (!world.of('PodDisruptionBudget').some((budget) => matches(budget.spec.selector, pod.labels))) {
        found.push(`${pod.name}: it has several pods and no PodDisruptionBudget`);
      }
    }
    return found;
  },
};

const spread = {
  name: 'spread',
  why: 'The loss of a node or a zone takes a part of the edges and brokers, not all. Never at the price of a pod that is not scheduled.',
  find: (world) =>
    [...world.processes('edge'), ...world.processes('broker')].flatMap(({ pod }) =>
      ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']
        .filter((key) => {
          const rule = pod.spec.topologySpreadConstraints?.find((constraint) => constraint.topologyKey === key);
          return rule?.whenUnsatisfiable !== 'ScheduleAnyway' || !matches(rule.labelSelector, pod.labels);
        })
        .map((key) => `${pod.name}: it is not spread over ${key} with ScheduleAnyway`),
    ),
};

const routes = {
  name: 'routes',
  why: 'A route of a Gateway that names no Service, or that limits the time of a request, cuts every WebSocket.',
  find: (world) =>
    world.of('HTTPRoute').flatMap((route) =>
      route.spec.rules.flatMap((rule) => [
        ...rule.backendRefs
          .filter(({ name, port }) => !world.find('Service', name)?.spec.ports.some((p) => p.port === port))
          .map(({ name, port }) => `HTTPRoute ${route.metadata.name}: there is no Service ${name} with the port ${port}`),
        ...Object.entries(rule.timeouts ?? {})
          .filter(([, value]) => value !== '0s')
          .map(([key, value]) => `HTTPRoute ${route.metadata.name}: ${key} is ${value}, not 0s`),
      ]),
    ),
};

const loadTest = {
  name: 'load-test',
  why: 'The ConfigMap has every script of tests/load, and a run names one of them.',
  find: (world) => {
    const maps = world.of('ConfigMap').filter((map) => map.metadata.name.startsWith('gatepost-loadtest'));
    const scripts = fs.readdirSync(path.join(world.root, 'tests/load')).filter((file) => file.endsWith('.js'));
    const found = maps.flatMap((map) =>
      scripts.filter((file) => !(file in map.data)).map((file) => `ConfigMap ${map.metadata.name}: it lacks ${file} (tests/load/kustomization.yaml)`),
    );
    for (const job of world.of('Job')) {
      const [container] = job.spec.template.spec.containers;
      const script = [...(container.command ?? []), ...(container.args ?? [])].find((word) => word.endsWith('.js'));
      if (script && !maps.some((map) => path.basename(script) in map.data)) found.push(`Job ${job.metadata.name}: there is no ${script}`);
    }
    return found;
  },
};

export default [services, selectors, replicas, scaling, rollout, budgets, spread, routes, loadTest];
