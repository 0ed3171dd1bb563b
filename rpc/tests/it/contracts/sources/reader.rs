//! Functions, what they bind, and what they are called with.

use super::{
    tokens::{flatten, pattern},
    *,
};

/// Fills the table of functions.
pub(super) struct Reader<'a> {
    pub(super) read: &'a mut Crate,
    /// Name of the crate, as its mock writes it.
    pub(super) pallet: &'a str,
}

impl Reader<'_> {
    fn function(&mut self, attrs: &[syn::Attribute], sig: &syn::Signature, block: &syn::Block) {
        let mut function = Function {
            is_test: attrs.iter().any(|attr| attr.path().is_ident("test")),
            body: flatten(block.to_token_stream()),
            ..Function::default()
        };
        for input in &sig.inputs {
            if let syn::FnArg::Typed(typed) = input {
                function.parameters.extend(pattern(&typed.pat));
            }
        }
        Body { function: &mut function }.visit_block(block);
        self.add(sig.ident.to_string(), function);
    }

    /// Two helpers of one name, in two files, are taken together.
    fn add(&mut self, name: String, function: Function) {
        let Some(known) = self.read.functions.get_mut(&name) else {
            self.read.functions.insert(name, function);
            return;
        };
        known.is_test |= function.is_test;
        known.parameters.extend(function.parameters);
        known.body.extend(function.body);
        for (name, bound) in function.bound {
            known.bound.entry(name).or_default().extend(bound);
        }
        known.closure_parameters.extend(function.closure_parameters);
        known.refused.extend(function.refused);
        known.succeeded.extend(function.succeeded);
        known.calls.extend(function.calls);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if let syn::Type::Path(path) = &*item.ty
            && path.path.segments.last().is_some_and(|last| last.ident == "Error")
        {
            self.read.errors.insert(item.ident.to_string());
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        // `construct_runtime!` names the contract: `Name: pallet_x,`.
        for pieces in flatten(item.mac.tokens.clone()).windows(3) {
            if let [Piece::Name(name), Piece::Other, Piece::Name(pallet)] = pieces
                && pallet == self.pallet
            {
                self.read.contract.insert(name.clone());
            }
        }
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        let body = flatten(item.expr.to_token_stream());
        self.add(item.ident.to_string(), Function { body, ..Function::default() });
    }
}

/// Fills in what one function holds.
pub(super) struct Body<'a> {
    function: &'a mut Function,
}

impl Body<'_> {
    fn bind(&mut self, pat: &Pat, value: &impl ToTokens) {
        let tokens = flatten(value.to_token_stream());
        for name in pattern(pat) {
            self.function.bound.entry(name).or_default().push(tokens.clone());
        }
    }
}

impl<'ast> Visit<'ast> for Body<'_> {
    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.bind(&local.pat, &init.expr);
            if let (Some(name), Expr::Closure(closure)) = (pattern(&local.pat).first(), &*init.expr)
            {
                let parameters = closure.inputs.iter().flat_map(pattern);
                let of = |parameter| (parameter, name.clone());
                self.function.closure_parameters.extend(parameters.map(of));
            }
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast ExprForLoop) {
        self.bind(&expr.pat, &expr.expr);
        visit::visit_expr_for_loop(self, expr);
    }

    fn visit_expr_let(&mut self, expr: &'ast ExprLet) {
        self.bind(&expr.pat, &expr.expr);
        visit::visit_expr_let(self, expr);
    }

    fn visit_expr_call(&mut self, expr: &'ast ExprCall) {
        if let Expr::Path(path) = &*expr.func
            && let Some(last) = path.path.segments.last()
        {
            let arguments = flatten(expr.args.to_token_stream());
            self.function.calls.push((last.ident.to_string(), arguments));
        }
        visit::visit_expr_call(self, expr);
    }

    fn visit_expr_method_call(&mut self, expr: &'ast ExprMethodCall) {
        if expr.method == "unwrap" || expr.method == "expect" {
            self.function.succeeded.push(flatten(expr.receiver.to_token_stream()));
        }
        visit::visit_expr_method_call(self, expr);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(arguments) = parser.parse2(call.tokens.clone()) else { return };
        let tokens: Vec<_> = arguments.iter().map(|one| flatten(one.to_token_stream())).collect();
        let name = call.path.segments.last().map(|last| last.ident.to_string());
        match name.as_deref() {
            Some("assert_noop" | "assert_err") => {
                self.function.refused.extend(tokens.get(1).cloned());
            }
            Some("assert_ok") => self.function.succeeded.extend(tokens.first().cloned()),
            Some("assert_eq") => {
                let has = |word: &str, of: &[Piece]| names(of).any(|name| name == word);
                let sides = &tokens[..tokens.len().min(2)];
                let refused = sides.iter().filter(|side| has("Err", side));
                self.function.refused.extend(refused.cloned());
                if sides.iter().any(|side| has("Ok", side)) {
                    self.function.succeeded.extend(sides.iter().cloned());
                }
            }
            _ => {}
        }
        for argument in &arguments {
            self.visit_expr(argument);
        }
    }
}
