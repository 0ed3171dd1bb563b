package billchain;

import billchain.generated.Answers.TransactionView;

/**
 * What became of a transaction that succeeded.
 *
 * @param repeated whether the chain had it already: nothing changed, and the first one counts
 */
public record Outcome(TransactionView transaction, boolean repeated) {
    static Outcome of(TransactionView view) {
        var repeated = view.events().stream().anyMatch(event ->
            event.name().equals("RegistrationRepeated") || event.name().equals("LockRepeated"));
        return new Outcome(view, repeated);
    }
}
