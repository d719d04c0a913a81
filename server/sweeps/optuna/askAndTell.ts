/** @file The Python program that asks Optuna for trials and tells it of them: a request and its answer are a line of JSON each. */

export const ASK_AND_TELL = `
import json, random, sys

def answer(**fields):
    print(json.dumps(fields), flush=True)

try:
    import optuna
except ImportError as error:
    answer(missing=str(error))
    sys.exit(0)

optuna.logging.set_verbosity(optuna.logging.WARNING)

def open_storage(storage, journal):
    if storage is not None:
        return storage
    try:
        from optuna.storages.journal import JournalFileBackend as File
    except ImportError:
        from optuna.storages import JournalFileStorage as File
    return optuna.storages.JournalStorage(File(journal))

def distribution(axis):
    if "choices" in axis:
        return optuna.distributions.CategoricalDistribution(axis["choices"])
    if axis["integer"]:
        return optuna.distributions.IntDistribution(int(axis["from"]), int(axis["to"]), log=axis["log"])
    return optuna.distributions.FloatDistribution(axis["from"], axis["to"], log=axis["log"])

def open_study(setup):
    return optuna.create_study(study_name=setup["study"], storage=open_storage(setup["storage"], setup["journal"]),
                               direction="maximize", load_if_exists=True)

# The random numbers of a sampler begin anew in each process. With a seed for each trial none draws what another one has drawn.
def next_sampler():
    number = len(study.get_trials(deepcopy=False))
    seed = random.Random(str(setup["seed"]) + " " + str(number)).getrandbits(32)
    return optuna.samplers.TPESampler(seed=seed, constant_liar=setup["parallel"] > 1)

study = None
for line in sys.stdin:
    request = json.loads(line)
    try:
        if request["do"] == "open":
            sweep, space = request["sweep"], {axis["name"]: distribution(axis) for axis in request["space"]}
            setup, study = request, open_study(request)
            running = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING])
            answer(version=optuna.__version__, direction=study.direction.name,
                   running=[{"trial": t.number, "parameters": t.params} for t in running if t.user_attrs.get("deeptwist") == sweep])
        elif request["do"] == "ask":
            study.sampler = next_sampler()
            trial = study.ask(space)
            trial.set_user_attr("deeptwist", sweep)
            answer(trial=trial.number, parameters=trial.params)
        elif request["do"] == "tell":
            value = request["value"]
            state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
            study.tell(request["trial"], value, state=state, skip_if_finished=True)
            answer()
    except Exception as error:
        answer(failed=type(error).__name__ + ": " + str(error))
`;
