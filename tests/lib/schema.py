"""JSON Schema, as much of it as docs/openapi.yaml uses: a keyword that is not known here is a mistake."""

import re

KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
NOTES = {"description", "default"}


class Schemas:
    """The schemas of an OpenAPI document."""

    def __init__(self, document):
        self._document = document

    def resolve(self, node):
        """What a reference names; anything else as it is."""
        while "$ref" in node:
            where, node = node["$ref"], self._document
            for part in where.removeprefix("#/").split("/"):
                node = node[part]
        return node

    def faults(self, value, schema, at="$"):
        """What is wrong with value: a list of sentences."""
        rules = {**{k: v for k, v in schema.items() if k != "$ref"}, **self._named(schema)}
        found = []
        for keyword, rule in rules.items():
            if keyword not in NOTES:
                found += getattr(self, "_" + keyword)(value, rule, rules, at)
        return found

    def _named(self, schema):
        return self.resolve(schema) if "$ref" in schema else {}

    def _type(self, value, rule, rules, at):
        is_right = isinstance(value, KINDS[rule]) and (rule == "boolean" or not isinstance(value, bool))
        return [] if is_right else [f"{at}: {value!r} is not of type {rule}"]

    def _const(self, value, rule, rules, at):
        return [] if value == rule else [f"{at}: {value!r} is not {rule!r}"]

    def _enum(self, value, rule, rules, at):
        return [] if value in rule else [f"{at}: {value!r} is none of {rule}"]

    def _pattern(self, value, rule, rules, at):
        return [] if re.search(rule, value) else [f"{at}: {value!r} does not match {rule}"]

    def _minimum(self, value, rule, rules, at):
        return [] if value >= rule else [f"{at}: {value} is less than {rule}"]

    def _maximum(self, value, rule, rules, at):
        return [] if value <= rule else [f"{at}: {value} is more than {rule}"]

    def _minLength(self, value, rule, rules, at):
        return [] if len(value) >= rule else [f"{at}: shorter than {rule}"]

    def _maxLength(self, value, rule, rules, at):
        return [] if len(value) <= rule else [f"{at}: longer than {rule}"]

    def _maxProperties(self, value, rule, rules, at):
        return [] if len(value) <= rule else [f"{at}: more than {rule} members"]

    def _required(self, value, rule, rules, at):
        return [f"{at}: {name} is missing" for name in rule if name not in value]

    def _properties(self, value, rule, rules, at):
        return [
            fault
            for name, schema in rule.items()
            if name in value
            for fault in self.faults(value[name], schema, f"{at}.{name}")
        ]

    def _additionalProperties(self, value, rule, rules, at):
        others = set(value) - set(rules.get("properties", ()))
        if rule is False:
            return [f"{at}: {name} is not described" for name in sorted(others)]
        return [f for name in others for f in self.faults(value[name], rule, f"{at}.{name}")]

    def _items(self, value, rule, rules, at):
        return [f for i, item in enumerate(value) for f in self.faults(item, rule, f"{at}[{i}]")]

    def _allOf(self, value, rule, rules, at):
        return [f for schema in rule for f in self.faults(value, schema, at)]

    def _oneOf(self, value, rule, rules, at):
        right = [schema for schema in rule if not self.faults(value, schema, at)]
        return [] if len(right) == 1 else [f"{at}: {value!r} fits {len(right)} of the alternatives"]
