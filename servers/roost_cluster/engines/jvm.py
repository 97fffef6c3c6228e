"""The jars of Solr, Jetty and ZooKeeper, and how a Java server is asked whether it is ready."""

import http.client
import shutil
from collections.abc import Sequence
from pathlib import Path

from roost_cluster import registries

ASK_S_MAX = 2.0
QUICK = ("-XX:TieredStopAtLevel=1",)
"""Ready sooner: the cores of a small machine are not spent on compiling for a server that lives minutes."""

SOLR_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>roost</groupId><artifactId>solr</artifactId><version>1</version><packaging>pom</packaging>
<properties><jetty>10.0.26</jetty></properties>
<dependencyManagement><dependencies>
  <dependency><groupId>org.eclipse.jetty</groupId><artifactId>jetty-bom</artifactId><version>${jetty}</version>
    <type>pom</type><scope>import</scope></dependency>
</dependencies></dependencyManagement>
<dependencies>
  <dependency><groupId>org.apache.solr</groupId><artifactId>solr-core</artifactId><version>9.10.1</version>
    <exclusions>
      <!-- Its 3.1 would hide the 4.0 of Jetty. -->
      <exclusion><groupId>javax.servlet</groupId><artifactId>javax.servlet-api</artifactId></exclusion>
    </exclusions></dependency>
  <dependency><groupId>org.eclipse.jetty</groupId><artifactId>jetty-server</artifactId></dependency>
  <dependency><groupId>org.eclipse.jetty</groupId><artifactId>jetty-servlet</artifactId></dependency>
  <dependency><groupId>org.eclipse.jetty</groupId><artifactId>jetty-xml</artifactId></dependency>
  <dependency><groupId>org.eclipse.jetty.http2</groupId><artifactId>http2-server</artifactId></dependency>
</dependencies></project>
"""

LOG4J = """status=error
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c{1})%n
rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
"""


def solr_jars() -> Path:
    """ZooKeeper is among what Solr needs. Raises registries.Missing."""
    return registries.jars("solr", SOLR_POM)


def java(jars: Path, folder: Path, heap_mb: int, flags: Sequence[str], main: str, *arguments: str) -> list[str]:
    """The command of a Java server that logs warnings to its output. Raises registries.Missing."""
    found = shutil.which("java")
    if found is None:
        raise registries.Missing("java is missing: apt-get install openjdk-17-jre-headless")
    folder.mkdir(parents=True, exist_ok=True)
    log4j = folder / "log4j2.properties"
    log4j.write_text(LOG4J)
    sizes = [f"-Xms{heap_mb}m", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-Xss512k", "-Djava.awt.headless=true"]
    log = f"-Dlog4j2.configurationFile={log4j}"
    return [found, "-server", *sizes, *flags, log, "-cp", f"{jars}/*", main, *arguments]


def answers(host: str, port: int, path: str) -> bytes | None:
    """What a server answers to a GET with 200; None for all else."""
    connection = http.client.HTTPConnection(host, port, timeout=ASK_S_MAX)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == http.client.OK else None
