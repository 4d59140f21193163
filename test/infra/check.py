"""The checks of infra/ that have their tools in Python; each prints JSON. Its packages are those of requirements.lock."""
import json
import sys

import yaml


def chart(path: str, asked: dict) -> dict:
    """helm lint --strict and helm template (Helm's own library), and each object against the schema of its Kubernetes version, strictly."""
    import helm_python
    import kubernetes_validate

    values, namespace = asked.get("values", {}), "voice"
    linted = helm_python.lint(path, values, strict=True, namespace=namespace)
    with helm_python.Chart.load(path) as loaded:
        rendered = loaded.render(values, name="phone", namespace=namespace)
    objects, faults, unknown = [], [], []
    for file, text in sorted(rendered.items()):
        if file.endswith("NOTES.txt"):
            continue
        for one in yaml.safe_load_all(text):
            if one is None:
                continue
            objects.append(one)
            for version in asked["versions"]:
                try:
                    kubernetes_validate.validate(one, version, strict=True)
                except kubernetes_validate.SchemaNotFoundError:
                    unknown.append(one["kind"])
                except kubernetes_validate.ValidationError as error:
                    faults.append(f"{file} {one['kind']} {version}: {error.message}")
    return {"lint": linted, "objects": objects, "faults": faults, "withoutSchema": sorted(set(unknown))}


def compose(path: str) -> dict:
    """The Compose specification, strictly: unknown keys, wrong types, secrets that nobody defines."""
    from compose_spec import PyCompose, PyOptions

    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        parsed = PyOptions(apply_merge=True).from_yaml(text)
        parsed.validate()
    except Exception as error:  # what it throws is not documented
        return {"fault": str(error)}
    # With the merges of YAML resolved, for whoever reads on.
    return {"services": parsed.service_names(), "document": yaml.safe_load(text)}


def dashboard(path: str) -> dict:
    """Decoded and encoded by Grafana's own types: what they do not know is lost on the way."""
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    plugins.register_default_plugins()
    with open(path, encoding="utf-8") as file:
        given = json.load(file)
    back = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(given)))
    lost: list[str] = []

    def compare(one: object, other: object, where: str) -> None:
        if isinstance(one, dict) and isinstance(other, dict):
            for key, value in one.items():
                if key in other:
                    compare(value, other[key], f"{where}/{key}")
                else:
                    lost.append(f"{where}/{key}")
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            for index, (left, right) in enumerate(zip(one, other, strict=True)):
                compare(left, right, f"{where}/{index}")
        elif one != other:
            lost.append(where)

    compare(given, back, "")
    return {"lost": lost}


if __name__ == "__main__":
    what, path = sys.argv[1:3]
    asked = json.load(sys.stdin) if what == "chart" else None
    answer = {"chart": lambda: chart(path, asked or {}), "compose": lambda: compose(path), "dashboard": lambda: dashboard(path)}
    print(json.dumps(answer[what]()))
