"""A node of SolrCloud: Solr's own filter in a Jetty that a page of XML sets up. ZooKeeper must be there first."""

import json
from collections.abc import Sequence
from pathlib import Path

from roost_cluster.engines.jvm import answers, java, solr_jars
from roost_cluster.launch import Launch

HEAP_MB = 512
THREADS_MAX = 200

SOLR_XML = """<?xml version="1.0" encoding="UTF-8" ?>
<solr>
  <int name="maxBooleanClauses">1024</int>
  <solrcloud>
    <str name="host">{host}</str>
    <int name="hostPort">{port}</int>
    <str name="hostContext">solr</str>
    <int name="zkClientTimeout">15000</int>
    <int name="distribUpdateSoTimeout">60000</int>
    <int name="distribUpdateConnTimeout">5000</int>
  </solrcloud>
  <metrics enabled="false"/>
</solr>
"""

# Solr speaks HTTP/2 without TLS among its nodes: the connector takes both.
JETTY_XML = """<?xml version="1.0"?>
<!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://www.eclipse.org/jetty/configure_10_0.dtd">
<Configure id="server" class="org.eclipse.jetty.server.Server">
  <Arg name="threadpool">
    <New class="org.eclipse.jetty.util.thread.QueuedThreadPool"><Arg type="int">{threads}</Arg></New>
  </Arg>
  <New id="http" class="org.eclipse.jetty.server.HttpConfiguration">
    <Set name="requestHeaderSize">16384</Set>
    <Set name="sendServerVersion">false</Set>
  </New>
  <Call name="addConnector"><Arg>
    <New class="org.eclipse.jetty.server.ServerConnector">
      <Arg name="server"><Ref refid="server"/></Arg>
      <Arg name="acceptors" type="int">1</Arg>
      <Arg name="selectors" type="int">1</Arg>
      <Arg name="factories"><Array type="org.eclipse.jetty.server.ConnectionFactory">
        <Item><New class="org.eclipse.jetty.server.HttpConnectionFactory"><Arg><Ref refid="http"/></Arg></New></Item>
        <Item>
          <New class="org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory"><Arg><Ref refid="http"/></Arg></New>
        </Item>
      </Array></Arg>
      <Set name="host">{host}</Set>
      <Set name="port">{port}</Set>
      <Set name="idleTimeout">120000</Set>
    </New>
  </Arg></Call>
  <Set name="handler">
    <New class="org.eclipse.jetty.servlet.ServletContextHandler">
      <Set name="contextPath">/solr</Set>
      <Call name="addEventListener"><Arg><New class="org.apache.solr.servlet.CoreContainerProvider"/></Arg></Call>
      <Call name="addFilter">
        <Arg>org.apache.solr.servlet.SolrDispatchFilter</Arg>
        <Arg>/*</Arg>
        <Arg><Call class="java.util.EnumSet" name="allOf"><Arg>
          <Call class="java.lang.Class" name="forName"><Arg>javax.servlet.DispatcherType</Arg></Call>
        </Arg></Call></Arg>
      </Call>
    </New>
  </Set>
  <Set name="stopAtShutdown">true</Set>
  <Set name="stopTimeout">15000</Set>
</Configure>
"""


def solr(
    folder: Path, host: str, port: int, zookeeper_hosts: str, *, heap_mb: int = HEAP_MB, flags: Sequence[str] = ()
) -> Launch:
    """A node that joins the cluster which that ZooKeeper knows. Raises registries.Missing."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "solr.xml").write_text(SOLR_XML.format(host=host, port=port))
    jetty = folder / "jetty.xml"
    jetty.write_text(JETTY_XML.format(host=host, port=port, threads=THREADS_MAX))
    settings = [
        f"-Dsolr.solr.home={home}",
        f"-Dsolr.log.dir={folder}",
        f"-Dsolr.install.dir={folder}",
        f"-DzkHost={zookeeper_hosts}",
        "-Dsolr.hideStackTrace=true",
    ]
    main = "org.eclipse.jetty.xml.XmlConfiguration"
    argv = java(solr_jars(), folder, heap_mb, [*settings, *flags], main, str(jetty))
    return Launch(f"solr {host}:{port}", argv, folder, lambda: _is_live(host, port))


def url(host: str, port: int) -> str:
    return f"http://{host}:{port}/solr"


def _is_live(host: str, port: int) -> bool:
    """It answers for the whole cluster, and counts itself in."""
    said = answers(host, port, "/solr/admin/collections?action=CLUSTERSTATUS")
    return said is not None and f"{host}:{port}_solr" in json.loads(said)["cluster"]["live_nodes"]
