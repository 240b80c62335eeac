"""Figures of a running meter, published: to an MQTT broker, to Prometheus (X-4). Off by default (docs/publishing.md).

figures.py      what is published, a row each, exact
meter_feed.py   the connection to the meter, made again when it breaks
messages.py     topics and payloads of MQTT, Home Assistant's among them
broker.py       the connection to a broker, made again with growing pauses
mqtt_outlet.py  a meter at a broker
metrics.py      the metrics of Prometheus, and metrics_server.py their address
publishers.py   the loop between a meter and either
process.py      the process of one, started by launch.py
"""
