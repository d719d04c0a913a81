"""The runs of an MLflow server as its own client sees them, as JSON."""
import json
import sys

import mlflow
from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])
runs = []
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id]):
        run = client.get_run(run.info.run_id)
        runs.append(
            {
                "experiment": experiment.name,
                "name": run.info.run_name,
                "status": run.info.status,
                "tag": run.data.tags.get("deeptwist.run"),
                "params": run.data.params,
                "metrics": {
                    key: [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, key)]
                    for key in run.data.metrics
                },
                "artifacts": [artifact.path for artifact in client.list_artifacts(run.info.run_id)],
            }
        )
json.dump({"version": mlflow.__version__, "runs": runs}, sys.stdout)
