package dev.agentpipe.db.upload;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;

/** A statement whose parameters, arrays of many rows' values, are bound one after the other. One thread. */
final class ArrayCall implements AutoCloseable {

    private final Connection connection;
    private final PreparedStatement statement;
    private int parameter;

    ArrayCall(Connection connection, String sql) throws SQLException {
        this.connection = connection;
        this.statement = connection.prepareStatement(sql);
    }

    void text(String value) throws SQLException {
        statement.setString(++parameter, value);
    }

    <T> void texts(List<T> from, Function<? super T, String> value) throws SQLException {
        bind("text", from, String[]::new, value);
    }

    <T> void longs(List<T> from, Function<? super T, Long> value) throws SQLException {
        bind("int8", from, Long[]::new, value);
    }

    private <T, V> void bind(String type, List<T> from, IntFunction<V[]> array, Function<? super T, V> value)
            throws SQLException {
        bind(type, from.stream().map(value).toArray(array));
    }

    void bind(String type, Object[] values) throws SQLException {
        statement.setArray(++parameter, connection.createArrayOf(type, values));
    }

    ResultSet query() throws SQLException {
        return statement.executeQuery();
    }

    void update() throws SQLException {
        statement.executeUpdate();
    }

    @Override
    public void close() throws SQLException {
        statement.close();
    }
}
