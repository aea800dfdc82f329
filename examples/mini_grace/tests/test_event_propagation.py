from backend.self_heal.trigger_mesh import Event, TriggerMesh


def test_what_follows_from_an_event_is_delivered_after_it():
    mesh = TriggerMesh()
    mesh.subscribe("a", lambda event: [Event("b"), Event("c")])
    mesh.subscribe("b", lambda event: [Event("d")])
    delivered = mesh.publish(Event("a"))
    assert [(event.topic, event.hops) for event in delivered] == [
        ("a", 0),
        ("b", 1),
        ("c", 1),
        ("d", 2),
    ]


def test_a_circle_ends():
    mesh = TriggerMesh(max_hops=3)
    mesh.subscribe("ping", lambda event: [Event("pong")])
    mesh.subscribe("pong", lambda event: [Event("ping")])
    delivered = mesh.publish(Event("ping"))
    assert [event.topic for event in delivered] == ["ping", "pong", "ping", "pong"]
    assert [event.topic for event in mesh.dropped] == ["ping"]


def test_payloads_travel_along():
    mesh, seen = TriggerMesh(), {}
    mesh.subscribe("a", lambda event: [Event("b", {"value": event.payload["value"] + 1})])
    mesh.subscribe("b", lambda event: seen.update(event.payload))
    mesh.publish(Event("a", {"value": 1}))
    assert seen == {"value": 2}
