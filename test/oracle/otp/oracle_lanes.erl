%% The canonical form of the events of one step: per lane what is ordered by cause, the rest sorted.

-module(oracle_lanes).

-export([of_events/2]).

%% Events are {Lane, Line, About}. `Dynamic` tells whether a path is that of a simple_one_for_one supervisor.
of_events(Events, Dynamic) ->
    Exited = [Pid || {_, _, {exit, Pid}} <- Events],
    Told = [{Lane, Line} || {Lane, Line, About} <- Events, not unread(About, Exited)],
    Names = lists:usort([Lane || {Lane, _} <- Told]),
    [{Lane, canonical(Lane, [Line || {Of, Line} <- Told, Of =:= Lane], Dynamic)} || Lane <- Names].

%% Whether one that dies has still read its mail is a matter of timing.
unread({mail, Pid}, Exited) -> lists:member(Pid, Exited);
unread(_About, _Exited) -> false.

canonical("@" ++ _, Lines, _Dynamic) ->
    lists:sort(Lines);
canonical(Lane, Lines, Dynamic) ->
    {Before, After} = lists:splitwith(fun(Line) -> not lists:prefix("down ", Line) end, Lines),
    [Path | _] = string:split(Lane, "#"),
    Ordered =
        case Dynamic(Path) of
            true -> sort_runs(Before);
            false -> Before
        end,
    case After of
        [] -> Ordered;
        % What orphans do after their supervisor was killed has no order among them.
        [Down | Orphans] -> Ordered ++ [Down | lists:sort(Orphans)]
    end.

%% Dynamic children are stopped all at once: exits in a row, and reports of failed stops in a row, are sets.
sort_runs([]) ->
    [];
sort_runs([Line | More] = Lines) ->
    case kind(Line) of
        none ->
            [Line | sort_runs(More)];
        Kind ->
            {Run, Rest} = lists:splitwith(fun(Each) -> kind(Each) =:= Kind end, Lines),
            lists:sort(Run) ++ sort_runs(Rest)
    end.

kind("exit " ++ _) -> exit;
kind("report shutdown_error " ++ _) -> shutdown_error;
kind(_Line) -> none.
