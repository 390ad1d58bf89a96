%% One run of one scenario.
-record(env, {driver, per_child, jitter, prefix, facts, events}).

%% One incarnation of one node: the attempt counts the starts of the path, `lane` is where its parent tells of it.
-record(instance, {path, id, attempt, type, lane}).
