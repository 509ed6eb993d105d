// SPDX-License-Identifier: Apache-2.0
// Runs a file of SQL statements, separated by lines of "--", in this JVM: CREATEs at once, INSERTs as one StatementSet.
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

public final class Stages {
    public static void main(String[] words) throws Exception {
        Configuration settings = new Configuration();
        settings.setString("parallelism.default", "1");
        settings.setString("execution.checkpointing.interval", "10 s");
        settings.setString("state.checkpoint-storage", "filesystem");
        settings.setString("state.checkpoints.dir", "file://" + words[1]);
        settings.setString("table.local-time-zone", "UTC");
        StreamTableEnvironment tables =
            StreamTableEnvironment.create(StreamExecutionEnvironment.getExecutionEnvironment(settings));
        StatementSet inserts = tables.createStatementSet();
        for (String statement : Files.readString(Path.of(words[0])).split("\n--\n")) {
            if (statement.startsWith("INSERT")) {
                inserts.addInsertSql(statement);
            } else {
                tables.executeSql(statement);
            }
        }
        inserts.execute().await();
    }
}
