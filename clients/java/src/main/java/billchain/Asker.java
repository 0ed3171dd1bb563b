package billchain;

import com.fasterxml.jackson.core.type.TypeReference;
import java.util.List;

/** Asks a method of the JSON-RPC. */
public interface Asker {
    /**
     * What the method answers.
     *
     * @throws BillChainException if no node answers, or one refuses
     */
    <T> T ask(String method, List<?> params, TypeReference<T> type);
}
