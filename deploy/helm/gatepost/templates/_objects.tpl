{{/* Prints the object of a template after its `merge` and `patch` of .Values.objects.
     Argument: list ROOT NAME, the template being gatepost.NAME. */}}
{{- define "gatepost.object" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $object := include (printf "gatepost.%s" $name) $root | fromYaml -}}
{{- if hasKey $object "Error" -}}{{ fail (printf "%s: %s" $name $object.Error) }}{{- end -}}
{{- $hatch := get $root.Values.objects $name | default dict -}}
{{- $object = mergeOverwrite $object (deepCopy ($hatch.merge | default dict)) -}}
{{- range $hatch.patch -}}
{{- $parts := list -}}
{{- range slice (splitList "/" .path) 1 -}}
{{- $parts = append $parts (. | replace "~1" "/" | replace "~0" "~") -}}
{{- end -}}
{{- $object = get (include "gatepost.patched" (list $object $parts .) | fromJson) "value" -}}
{{- end -}}
{{- toYaml $object -}}
{{- end -}}

{{/* Applies one operation of a JSON patch (RFC 6902), and prints {"value": the new value}.
     Argument: list VALUE PARTS OPERATION, the parts being those of the path that are left. */}}
{{- define "gatepost.patched" -}}
{{- $value := index . 0 -}}
{{- $key := first (index . 1) -}}
{{- $rest := rest (index . 1) -}}
{{- $op := index . 2 -}}
{{- if kindIs "map" $value -}}
  {{- if $rest -}}
    {{- if not (hasKey $value $key) -}}{{ fail (printf "patch %s: there is no %s" $op.path $key) }}{{- end -}}
    {{- $child := get (include "gatepost.patched" (list (get $value $key) $rest $op) | fromJson) "value" -}}
    {{- $value = set $value $key $child -}}
  {{- else if and (ne $op.op "add") (not (hasKey $value $key)) -}}
    {{- fail (printf "patch %s: there is nothing to %s" $op.path $op.op) -}}
  {{- else if eq $op.op "remove" -}}
    {{- $value = omit $value $key -}}
  {{- else -}}
    {{- $value = set $value $key $op.value -}}
  {{- end -}}
{{- else if kindIs "slice" $value -}}
  {{- $end := len $value -}}
  {{- $at := eq $key "-" | ternary $end (atoi $key) -}}
  {{- if or (gt $at $end) (and (eq $at $end) (or $rest (ne $op.op "add"))) -}}
    {{- fail (printf "patch %s: the list has %d items" $op.path $end) -}}
  {{- end -}}
  {{- $before := slice $value 0 $at -}}
  {{- if $rest -}}
    {{- $child := get (include "gatepost.patched" (list (index $value $at) $rest $op) | fromJson) "value" -}}
    {{- $value = concat $before (list $child) (slice $value (add1 $at | int)) -}}
  {{- else if eq $op.op "add" -}}
    {{- $value = concat $before (list $op.value) (slice $value $at) -}}
  {{- else if eq $op.op "replace" -}}
    {{- $value = concat $before (list $op.value) (slice $value (add1 $at | int)) -}}
  {{- else -}}
    {{- $value = concat $before (slice $value (add1 $at | int)) -}}
  {{- end -}}
{{- else -}}
  {{- fail (printf "patch %s: %s is neither an object nor a list" $op.path $key) -}}
{{- end -}}
{{- dict "value" $value | toJson -}}
{{- end -}}

{{/* Argument: list ROOT COMPONENT */}}
{{- define "gatepost.selector" -}}
app.kubernetes.io/name: gatepost
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "gatepost.labels" -}}
{{ include "gatepost.selector" . }}
app.kubernetes.io/part-of: gatepost
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end -}}

{{/* Argument: list ROOT SUFFIX */}}
{{- define "gatepost.name" -}}
{{ printf "%s-%s" (index . 0).Release.Name (index . 1) | trunc 52 }}
{{- end -}}

{{/* The settings of a program as variables. Argument: the map of settings */}}
{{- define "gatepost.variables" -}}
{{- range $flag, $value := . }}
GATEPOST_{{ $flag | upper | replace "-" "_" }}: {{ $value | quote }}
{{- end }}
{{- end -}}
