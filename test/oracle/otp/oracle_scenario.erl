%% Runs one scenario: the process that does this is the driver, a stranger to the tree. Gives its trace as a term that
%% oracle_json writes.

-module(oracle_scenario).

-export([run/2]).

-include("oracle.hrl").

run(#{id := Id, root := Root, actions := Actions} = Scenario, Jitter) ->
    Env = oracle_log:new(#{id => Id, per_child => maps:get(per_child, Scenario, false), jitter => Jitter}),
    Top = spawn_link(fun() -> top(Env, Root) end),
    Dynamic = fun(Path) -> is_dynamic(Root, string:lexemes(Path, "/")) end,
    First = step(Env, Dynamic, start, fun() -> ask(Top, start) end),
    Steps = [step(Env, Dynamic, Op, fun() -> act(Env, Dynamic, Action) end) || #{op := Op} = Action <- Actions],
    Final = [
        {oracle_log:name(Env, Pid), snapshot(Env, Dynamic(Path), Pid)}
     || {Pid, #instance{type = supervisor, path = Path}} <- oracle_log:living(Env)
    ],
    Last = step(Env, Dynamic, stop_root, fun() -> ask(Top, stop) end),
    Leaks = lists:sort([oracle_log:name(Env, Pid) || {Pid, _} <- oracle_log:living(Env)]),
    clear(Env, Top),
    {[{steps, [First | Steps] ++ [Last]}, {final, {Final}}, {leaks, [{text, Leak} || Leak <- Leaks]}]}.

clear(Env, Top) ->
    unlink(Top),
    oracle_log:close(Env),
    Pids = [Top | [Pid || {Pid, _} <- oracle_log:living(Env)]],
    Refs = [monitor(process, Pid) || Pid <- Pids],
    [exit(Pid, kill) || Pid <- Pids],
    [
        receive
            {'DOWN', Ref, process, _, _} -> ok
        end
     || Ref <- Refs
    ],
    oracle_log:delete(Env).

%% The parent of the root: it outlives it, whatever happens.
top(Env, #{id := Id} = Root) ->
    process_flag(trap_exit, true),
    put(oracle, top),
    receive
        {start, From} -> From ! {self(), oracle_tree:start(Env, Root, "", Id)}
    end,
    receive
        {stop, Asker} -> Asker ! {self(), stop(oracle_log:latest(Env, atom_to_list(Id)))}
    end.

stop(Root) ->
    Ref = monitor(process, Root),
    Dead = not is_process_alive(Root),
    exit(Root, shutdown),
    receive
        {'DOWN', Ref, process, Root, _} when Dead -> {error, dead};
        {'DOWN', Ref, process, Root, _} -> ok
    end.

ask(Top, What) ->
    Top ! {What, self()},
    receive
        {Top, Answer} -> Answer
    end.

%% ---- steps

step(Env, Dynamic, Op, Do) ->
    Result = Do(),
    oracle_rest:wait(Env),
    Said = [{op, {text, atom_to_list(Op)}}, {res, result(Env, Result)}],
    case oracle_lanes:of_events(oracle_log:take_events(Env), Dynamic) of
        [] -> {Said};
        Lanes -> {Said ++ [{lanes, {[{Lane, [{text, Line} || Line <- Lines]} || {Lane, Lines} <- Lanes]}}]}
    end.

%% A result as a trace writes it, when all is at rest: every process that it names is known by then.
result(Env, {several, Results}) -> [one_line(result(Env, Each)) || Each <- Results];
result(_Env, Rows) when is_list(Rows) -> [{text, Row} || Row <- Rows];
result(Env, Result) -> {text, result_text(Env, Result)}.

one_line({text, Text}) -> {text, Text};
one_line(Rows) -> {text, lists:join(", ", [Row || {text, Row} <- Rows])}.

result_text(_Env, {text, Text}) -> Text;
result_text(_Env, ok) -> "ok";
result_text(_Env, {ok, undefined}) -> "ok undefined";
result_text(Env, {ok, Pid}) -> ["ok ", oracle_log:name(Env, Pid)];
result_text(Env, {exit, Reason}) -> ["exit ", oracle_log:text(Env, Reason)];
result_text(Env, {error, {already_started, Pid}}) -> ["error already_started ", oracle_log:name(Env, Pid)];
result_text(Env, {error, {Reason, Child}}) when element(1, Child) =:= child ->
    ["error start ", oracle_log:text(Env, Reason)];
result_text(Env, {error, Reason}) ->
    ["error ", oracle_log:text(Env, Reason)].

%% ---- actions

act(_Env, _Dynamic, #{op := sleep, ms := Ms}) ->
    timer:sleep(Ms),
    ok;
act(Env, Dynamic, #{op := during, action := Action, calls := Calls}) ->
    oracle_log:gate(Env, closed),
    First = act(Env, Dynamic, Action),
    oracle_rest:wait_or_hold(Env),
    % Sent one after the other by one process: they are handled in this order.
    Requests = [request(Env, Dynamic, Call) || Call <- Calls],
    oracle_log:gate(Env, open),
    {several, [First | [answer(Request) || Request <- Requests]]};
act(Env, _Dynamic, #{from := From, to := To, op := Op}) ->
    case {living(Env, From), living(Env, To)} of
        {Pid, Other} when is_pid(Pid), is_pid(Other) -> gen_server:cast(Pid, {Op, Other});
        _ -> {text, "noproc"}
    end;
act(Env, _Dynamic, #{target := Target} = Action) ->
    case living(Env, Target) of
        undefined -> {text, "noproc"};
        Pid -> act_on_process(Pid, Action)
    end;
act(Env, Dynamic, #{sup := _} = Action) ->
    answer(request(Env, Dynamic, Action)).

living(Env, Path) ->
    case oracle_log:latest(Env, atom_to_list(Path)) of
        undefined -> undefined;
        Pid ->
            case is_process_alive(Pid) of
                true -> Pid;
                false -> undefined
            end
    end.

act_on_process(Pid, #{op := ping}) -> call(Pid, ping);
act_on_process(Pid, #{op := Op}) when Op =:= link_dead; Op =:= monitor_dead -> gen_server:cast(Pid, Op);
act_on_process(Pid, #{op := Op, reason := Text}) ->
    Reason = reason(Text),
    case Op of
        kill ->
            exit(Pid, Reason),
            ok;
        call_stop -> call(Pid, {stop, Reason});
        call_stop_reply -> call(Pid, {stop_reply, Reason});
        call_crash -> call(Pid, {crash, Reason});
        _ -> gen_server:cast(Pid, {Op, Reason})
    end.

reason('{shutdown,x}') -> {shutdown, x};
reason(Atom) -> Atom.

call(Pid, Request) ->
    try
        gen_server:call(Pid, Request, infinity)
    catch
        exit:{Reason, {gen_server, call, _}} -> {exit, Reason}
    end.

%% The requests of supervisor's own functions, sent so that several can wait in one mailbox.
request(Env, Dynamic, #{sup := Path} = Action) ->
    case living(Env, Path) of
        undefined -> {done, {text, "noproc"}};
        Sup -> request(Env, Dynamic, Sup, atom_to_list(Path), Action)
    end.

request(Env, Dynamic, Sup, Path, #{op := Op} = Action) ->
    Show =
        case Op of
            which -> fun(Rows) -> rows(Env, Dynamic(Path), Rows) end;
            count -> fun(Counts) -> {text, counts(Counts)} end;
            _ -> fun(Result) -> Result end
        end,
    Message =
        case Action of
            #{op := which} -> which_children;
            #{op := count} -> count_children;
            #{op := start_child, spec := Node} -> {start_child, oracle_tree:child_spec(Env, Node, Path)};
            #{op := start_child, name := Name} -> {start_child, [Name]};
            #{op := terminate_child, name := Name} ->
                Attempt = maps:get(attempt, Action, latest),
                {terminate_child, oracle_log:process(Env, oracle_tree:join(Path, Name), Attempt)};
            #{child := Child} -> {Op, Child}
        end,
    case Message of
        {terminate_child, undefined} -> {done, {text, "noproc"}};
        _ -> {sent, gen_server:send_request(Sup, Message), Show}
    end.

answer({done, Result}) ->
    Result;
answer({sent, Request, Show}) ->
    case gen_server:receive_response(Request, infinity) of
        {reply, Reply} -> Show(Reply);
        {error, {Reason, _Ref}} -> {exit, Reason}
    end.

%% ---- what supervisors list

snapshot(Env, IsDynamic, Sup) ->
    Rows = rows(Env, IsDynamic, supervisor:which_children(Sup)),
    {[{which, [{text, Row} || Row <- Rows]}, {count, {text, counts(supervisor:count_children(Sup))}}]}.

%% Dynamic children have neither an id nor an order.
rows(Env, true, Rows) -> lists:sort([row(Env, "-", Row) || Row <- Rows]);
rows(Env, false, Rows) -> [row(Env, atom_to_list(element(1, Row)), Row) || Row <- Rows].

row(Env, Id, {_Id, Child, Type, _Modules}) ->
    Name =
        case Child of
            Pid when is_pid(Pid) -> oracle_log:name(Env, Pid);
            Atom -> atom_to_list(Atom)
        end,
    lists:flatten([Id, " ", Name, " ", atom_to_list(Type)]).

counts(Counts) ->
    Numbers = [proplists:get_value(Key, Counts) || Key <- [specs, active, supervisors, workers]],
    io_lib:format("~b ~b ~b ~b", Numbers).

%% Whether a path leads to a simple_one_for_one supervisor: below one every id stands for its template.
is_dynamic(Root, [_ | Path]) -> is_dynamic_below(Root, Path).

is_dynamic_below(Node, []) ->
    maps:get(strategy, Node, one_for_one) =:= simple_one_for_one;
is_dynamic_below(#{strategy := simple_one_for_one, children := [Template]}, [_ | Path]) ->
    is_dynamic_below(Template, Path);
is_dynamic_below(Node, [Id | Path]) ->
    case [Child || Child <- maps:get(children, Node, []), atom_to_list(maps:get(id, Child)) =:= Id] of
        [Child] -> is_dynamic_below(Child, Path);
        [] -> false
    end.
