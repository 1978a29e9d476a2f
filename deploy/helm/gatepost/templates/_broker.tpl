{{- define "gatepost.broker" -}}
{{- $broker := .Values.broker -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "gatepost.name" (list . "broker") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
spec:
  replicas: {{ $broker.replicas }}
  selector:
    matchLabels:
      {{- include "gatepost.selector" (list . "broker") | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  minReadySeconds: {{ $broker.minReadySeconds }}
  progressDeadlineSeconds: {{ add $broker.minReadySeconds 600 }}
  template:
    metadata:
      labels:
        {{- include "gatepost.labels" (list . "broker") | nindent 8 }}
      {{- include "gatepost.podAnnotations" (list . "9102" "brokerSettings") | nindent 6 }}
    spec:
      serviceAccountName: {{ include "gatepost.name" (list . "broker") }}
      {{- include "gatepost.podSecurity" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ $broker.gracePeriod }}
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "gatepost.spread" (list . "broker") | nindent 6 }}
      containers:
        - name: broker
          {{- include "gatepost.image" . | nindent 10 }}
          command: [/usr/bin/gatepost-broker]
          env:
            - name: GATEPOST_NAME
              valueFrom: { fieldRef: { fieldPath: metadata.name } }
            - name: POD_IP
              valueFrom: { fieldRef: { fieldPath: status.podIP } }
            - name: GATEPOST_ADVERTISE
              value: tcp://$(POD_IP):7400
            - name: GATEPOST_REDIS
              valueFrom: { secretKeyRef: { name: {{ .Values.redis.existingSecret }}, key: {{ .Values.redis.key }} } }
          envFrom:
            - configMapRef: { name: {{ include "gatepost.name" (list . "broker") }} }
          ports:
            - { name: link, containerPort: 7400 }
            - { name: management, containerPort: 8081 }
            - { name: metrics, containerPort: 9102 }
          {{- include "gatepost.probes" . | nindent 10 }}
          resources:
            {{- toYaml $broker.resources | nindent 12 }}
          {{- include "gatepost.containerSecurity" . | nindent 10 }}
          volumeMounts:
            - { name: credentials, mountPath: /etc/gatepost-credentials, readOnly: true }
            {{- if .Values.config }}
            - { name: config, mountPath: /etc/gatepost, readOnly: true }
            {{- end }}
      volumes:
        - name: credentials
          secret: { secretName: {{ .Values.credentials.existingSecret }}, defaultMode: 288 } # 0440
        {{- if .Values.config }}
        - name: config
          configMap: { name: {{ include "gatepost.name" (list . "config") }} }
        {{- end }}
{{- end -}}

{{- define "gatepost.brokerSettings" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "gatepost.name" (list . "broker") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
data:
  GATEPOST_BIND: tcp://0.0.0.0:7400
  GATEPOST_METRICS: 0.0.0.0:9102
  GATEPOST_MANAGEMENT: 0.0.0.0:8081
  GATEPOST_CREDENTIALS: /etc/gatepost-credentials/{{ .Values.credentials.key }}
  GATEPOST_GRACE: {{ .Values.broker.gracePeriod }}s
  {{- if .Values.config }}
  GATEPOST_CONFIG: /etc/gatepost/gatepost.yml
  {{- end }}
  {{- include "gatepost.variables" .Values.broker.settings | nindent 2 }}
{{- end -}}

{{- define "gatepost.configuration" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "gatepost.name" (list . "config") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
data:
  gatepost.yml: {{ .Values.config | toJson }}
  {{- range $name, $text := .Values.configFiles }}
  {{ $name | quote }}: {{ $text | toJson }}
  {{- end }}
{{- end -}}

{{- define "gatepost.brokerAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "gatepost.name" (list . "broker") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{- define "gatepost.managementService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "gatepost.name" (list . "management") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
spec:
  selector:
    {{- include "gatepost.selector" (list . "broker") | nindent 4 }}
  ports:
    - { name: management, port: 8081, targetPort: management, appProtocol: http }
{{- end -}}

{{- define "gatepost.brokersService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "gatepost.name" (list . "brokers") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "gatepost.selector" (list . "broker") | nindent 4 }}
  ports:
    - { name: link, port: 7400, targetPort: link, appProtocol: tcp }
{{- end -}}

{{- define "gatepost.brokerBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "gatepost.name" (list . "broker") }}
  labels:
    {{- include "gatepost.labels" (list . "broker") | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "gatepost.selector" (list . "broker") | nindent 6 }}
{{- end -}}
