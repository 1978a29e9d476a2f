{{- define "gatepost.edge" -}}
{{- $edge := .Values.edge -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "gatepost.name" (list . "edge") }}
  labels:
    {{- include "gatepost.labels" (list . "edge") | nindent 4 }}
spec:
  {{- if not $edge.autoscaling.enabled }}
  replicas: {{ $edge.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "gatepost.selector" (list . "edge") | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  minReadySeconds: {{ $edge.minReadySeconds }}
  progressDeadlineSeconds: {{ add $edge.minReadySeconds 600 }}
  template:
    metadata:
      labels:
        {{- include "gatepost.labels" (list . "edge") | nindent 8 }}
      {{- include "gatepost.podAnnotations" (list . "9101" "edgeSettings") | nindent 6 }}
    spec:
      serviceAccountName: {{ include "gatepost.name" (list . "edge") }}
      {{- include "gatepost.podSecurity" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ $edge.gracePeriod }}
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "gatepost.spread" (list . "edge") | nindent 6 }}
      containers:
        - name: edge
          {{- include "gatepost.image" . | nindent 10 }}
          command: [/usr/bin/gatepost-edge]
          env:
            - name: GATEPOST_NAME
              valueFrom: { fieldRef: { fieldPath: metadata.name } }
          envFrom:
            - configMapRef: { name: {{ include "gatepost.name" (list . "edge") }} }
          ports:
            - { name: http, containerPort: 8080 }
            - { name: metrics, containerPort: 9101 }
          {{- include "gatepost.probes" . | nindent 10 }}
          resources:
            {{- toYaml $edge.resources | nindent 12 }}
          {{- include "gatepost.containerSecurity" . | nindent 10 }}
{{- end -}}

{{- define "gatepost.edgeSettings" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "gatepost.name" (list . "edge") }}
  labels:
    {{- include "gatepost.labels" (list . "edge") | nindent 4 }}
data:
  GATEPOST_LISTEN: 0.0.0.0:8080
  GATEPOST_METRICS: 0.0.0.0:9101
  GATEPOST_BROKERS: tcp://{{ include "gatepost.name" (list . "brokers") }}:7400
  GATEPOST_GRACE: {{ .Values.edge.gracePeriod }}s
  {{- include "gatepost.variables" .Values.edge.settings | nindent 2 }}
{{- end -}}

{{- define "gatepost.edgeAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "gatepost.name" (list . "edge") }}
  labels:
    {{- include "gatepost.labels" (list . "edge") | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{- define "gatepost.edgeService" -}}
{{- $service := .Values.edge.service -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels:
    {{- include "gatepost.labels" (list . "edge") | nindent 4 }}
  {{- with $service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $service.type }}
  {{- if ne $service.type "ClusterIP" }}
  externalTrafficPolicy: Local
  {{- end }}
  selector:
    {{- include "gatepost.selector" (list . "edge") | nindent 4 }}
  ports:
    - { name: http, port: {{ $service.port }}, targetPort: http, appProtocol: http }
{{- end -}}

{{- define "gatepost.edgeBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "gatepost.name" (list . "edge") }}
  labels:
    {{- include "gatepost.labels" (list . "edge") | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "gatepost.selector" (list . "edge") | nindent 6 }}
{{- end -}}

{{- define "gatepost.edgeScaler" -}}
{{- $scaling := .Values.edge.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "gatepost.name" (list . "edge") }}
  labels:
    {{- include "gatepost.labels" (list . "edge") | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "gatepost.name" (list . "edge") }} }
  minReplicas: {{ $scaling.min }}
  maxReplicas: {{ $scaling.max }}
  metrics:
    - type: Pods
      pods:
        metric: { name: gatepost_edge_connections }
        target: { type: AverageValue, averageValue: {{ $scaling.connections | toString | quote }} }
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 30
      policies:
        - { type: Percent, value: 100, periodSeconds: 60 }
    scaleDown:
      stabilizationWindowSeconds: 900
      policies:
        - { type: Pods, value: 1, periodSeconds: {{ add .Values.edge.gracePeriod 30 }} }
{{- end -}}
