%% Runs scenarios on the gen_statem of this Erlang/OTP and writes their traces:
%%
%%     erl -noshell -run statem_oracle main IN OUT AT_ONCE
%%
%% IN holds one scenario a term. OUT gets one line of JSON for each: {"id","trace"}, or {"id","failed"} if the machine met
%% the known error of OTP 25: a time-out of time 0 that is replaced before it is delivered by one with a real time.

-module(statem_oracle).
-behaviour(gen_statem).

-export([main/1]).
-export([init/1, callback_mode/0, handle_event/4, terminate/3]).

main([In, Out, AtOnce]) ->
    logger:set_primary_config(level, none),
    {ok, Scenarios} = file:consult(In),
    {ok, File} = file:open(Out, [write, raw, delayed_write]),
    all(Scenarios, #{}, list_to_integer(AtOnce), File),
    ok = file:close(File),
    halt(0).

all([], Running, _AtOnce, _File) when map_size(Running) =:= 0 ->
    ok;
all([#{id := Id} = Scenario | More], Running, AtOnce, File) when map_size(Running) < AtOnce ->
    {_Pid, Ref} = spawn_monitor(fun() -> exit({trace, run(Scenario)}) end),
    all(More, Running#{Ref => Id}, AtOnce, File);
all(Waiting, Running, AtOnce, File) ->
    receive
        {'DOWN', Ref, process, _Pid, Reason} ->
            {Id, Left} = maps:take(Ref, Running),
            ok = file:write(File, ["{\"id\":\"", Id, "\",", outcome(Reason), "}\n"]),
            all(Waiting, Left, AtOnce, File)
    end.

outcome({trace, {ok, Log, Replies, Exit}}) ->
    ["\"trace\":{\"log\":", strings(Log), ",\"replies\":", strings(Replies), ",\"exit\":\"", Exit, "\"}"];
outcome({trace, failed}) ->
    "\"failed\":\"a time-out of time 0 was replaced\"".

strings(Texts) -> ["[", lists:join(",", [["\"", Text, "\""] || Text <- Texts]), "]"].

%% The driver: parent and client of one machine.

run(#{endMs := EndMs} = Scenario) ->
    process_flag(trap_exit, true),
    {ok, Machine} = gen_statem:start_link(?MODULE, {Scenario, self()}, []),
    timer:send_after(EndMs, the_end),
    collect(Machine, [], []).

collect(Machine, Log, Replies) ->
    receive
        {log, Text} ->
            collect(Machine, [Text | Log], Replies);
        {{call, Call}, Event} ->
            case lists:keymember(Call, 1, Replies) of
                true -> collect(Machine, Log, Replies);
                false -> collect(Machine, Log, [{Call, Event} | Replies])
            end;
        the_end ->
            gen_statem:cast(Machine, 0),
            collect(Machine, Log, Replies);
        {'EXIT', Machine, quirk} ->
            failed;
        {'EXIT', Machine, Reason} ->
            Texts = [io_lib:format("~b ~b", [Call, Event]) || {Call, Event} <- lists:reverse(Replies)],
            {ok, lists:reverse(Log), Texts, exit_text(Reason)}
    end.

exit_text({Reason, [_ | _]}) -> reason_text(Reason);
exit_text(Reason) -> reason_text(Reason).

reason_text({Term, _}) -> atom_to_list(Term);
reason_text(Term) -> atom_to_list(Term).

%% The machine.

callback_mode() ->
    case get(enter) of
        true -> [handle_event_function, state_enter];
        false -> handle_event_function
    end.

init({#{enter := Enter, events := Events, enters := Enters, messages := Messages, init := Init}, Driver}) ->
    put(enter, Enter),
    put(driver, Driver),
    [put({plan, Event}, Results) || {Event, Results} <- maps:to_list(Events)],
    [put({plan, State}, Results) || {State, Results} <- maps:to_list(Enters)],
    [send(Type, Event) || {Type, Event} <- Messages],
    #{state := State, data := Data, actions := Actions} = Init,
    {ok, State, Data, actions(Actions, init)}.

send(call, Event) -> self() ! {'$gen_call', {get(driver), {call, Event}}, Event};
send(cast, Event) -> gen_statem:cast(self(), Event);
send(info, Event) -> self() ! Event.

handle_event(enter, Previous, State, Data) ->
    log("enter ~s from ~s ~b", [State, Previous, Data]),
    return(next_result(State), State);
handle_event(info, {timeout, _Ref, _Type}, _State, _Data) ->
    exit(quirk);
handle_event(Type, Event, State, Data) ->
    case Type of
        {call, From} -> put({from, Event}, From);
        _ -> ok
    end,
    log("~s ~b in ~s ~b", [type_text(Type), Event, State, Data]),
    return(next_result(Event), Event).

terminate(Reason, State, Data) ->
    log("terminate ~s in ~s ~b", [reason_text(Reason), State, Data]).

log(Format, Args) -> get(driver) ! {log, io_lib:format(Format, Args)}.

type_text({call, _}) -> "call";
type_text({timeout, Name}) -> ["timeout:", atom_to_list(Name)];
type_text(Type) -> atom_to_list(Type).

next_result(Key) ->
    case get({plan, Key}) of
        [Result | More] -> put({plan, Key}, More), Result;
        _ -> {keep_state_and_data, a, 0, []}
    end.

return({Kind, State, Data, Actions}, Event) ->
    case Kind of
        next_state -> {next_state, State, Data, actions(Actions, Event)};
        keep_state -> {keep_state, Data, actions(Actions, Event)};
        keep_state_and_data -> {keep_state_and_data, actions(Actions, Event)};
        repeat_state -> {repeat_state, Data, actions(Actions, Event)};
        repeat_state_and_data -> {repeat_state_and_data, actions(Actions, Event)};
        stop -> {stop, normal, Data};
        stop_and_reply -> {stop_and_reply, shutdown, actions(Actions, Event), Data};
        throw -> error(boom);
        bad -> {bad, result}
    end.

actions(Actions, Event) -> lists:append([action(Action, Event) || Action <- Actions]).

action(postpone, _) -> [postpone];
action(bad, _) -> [bad_action];
action({reply, Call}, Event) ->
    case get({from, Call}) of
        undefined -> [];
        From when is_integer(Event) -> [{reply, From, Event}];
        From -> [{reply, From, -1}]
    end;
action({next_event, call, Call}, _) ->
    case get({from, Call}) of
        undefined -> [];
        From -> [{next_event, {call, From}, Call}]
    end;
action({next_event, Type, Event}, _) -> [{next_event, Type, Event}];
action({set, Type, cancel, _, _}, _) -> [{Type, cancel}];
action({set, Type, Time, Event, false}, _) -> [{Type, Time, Event}];
action({set, Type, Time, Event, true}, _) -> [{Type, erlang:monotonic_time(millisecond) + Time, Event, {abs, true}}].
