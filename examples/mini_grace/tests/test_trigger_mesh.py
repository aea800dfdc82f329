from backend.self_heal.trigger_mesh import Event, TriggerMesh


def test_patterns_choose_the_topics():
    mesh, heard = TriggerMesh(), []
    mesh.subscribe("trigger.*", lambda event: heard.append(event.topic))
    mesh.publish(Event("trigger.slow"))
    mesh.publish(Event("cleared.slow"))
    assert heard == ["trigger.slow"]


def test_whoever_unsubscribes_hears_no_more():
    mesh, heard = TriggerMesh(), []
    stop = mesh.subscribe("*", lambda event: heard.append(event.topic))
    mesh.publish(Event("one"))
    stop()
    mesh.publish(Event("two"))
    assert heard == ["one"]


def test_a_handler_that_fails_stops_no_other():
    mesh, heard = TriggerMesh(), []

    def broken(event):
        raise RuntimeError("broken")

    mesh.subscribe("*", broken)
    mesh.subscribe("*", lambda event: heard.append(event.topic))
    mesh.publish(Event("one"))
    assert heard == ["one"]
    assert [reason for _, reason in mesh.errors] == ["broken"]
